//! Looks for secrets in texts: for any 16 bytes of one, in whatever form it may have come there.

use std::collections::HashMap;
use std::fmt::Write;

/// A piece of a secret that is not in a text by chance.
const PIECE: usize = 16;

/// The secrets that are looked for.
#[derive(Default)]
pub struct Search {
    /// What they are called, by number.
    names: Vec<String>,
    /// Pieces of their forms.
    pieces: HashMap<[u8; PIECE], usize>,
    /// Forms that are shorter than a piece.
    short: HashMap<Vec<u8>, usize>,
}

/// Where a secret is.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub at: usize,
    pub secret: &'a str,
}

impl Search {
    /// Looks for this one too. `name` is what a report says of it.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 8, "{name} is so short that it is found by chance");
        let number = self.names.len();
        self.names.push(name.to_owned());
        for form in readable_forms(secret) {
            match form.len() < PIECE {
                true => drop(self.short.entry(form).or_insert(number)),
                false => form.windows(PIECE).for_each(|piece| self.add_piece(piece, number)),
            }
        }
        // These are so long that every other piece would do, too.
        for form in dumped_forms(secret) {
            form.chunks_exact(PIECE).for_each(|piece| self.add_piece(piece, number));
        }
    }

    fn add_piece(&mut self, piece: &[u8], number: usize) {
        self.pieces.entry(piece.try_into().unwrap()).or_insert(number);
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Where in the text secrets are; of those that overlap the first.
    pub fn find(&self, text: &[u8]) -> Vec<Found<'_>> {
        let mut found: Vec<Found<'_>> = Vec::new();
        for (at, piece) in text.windows(PIECE).enumerate() {
            if found.last().is_some_and(|last| at < last.at + PIECE) {
                continue;
            }
            if let Some(&number) = self.pieces.get(piece) {
                found.push(Found { at, secret: &self.names[number] });
            }
        }
        for (form, &number) in &self.short {
            let at = text.windows(form.len()).position(|window| window == form);
            found.extend(at.map(|at| Found { at, secret: &self.names[number] }));
        }
        found
    }
}

/// A secret as it is, encoded for a URL or a JSON text, as Rust writes a text, and what is in it where it is a token.
fn readable_forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec(), percent(secret, true), percent(secret, false)];
    let text = String::from_utf8_lossy(secret);
    forms.push(text.as_bytes().to_vec());
    forms.push(text.escape_debug().to_string().into_bytes());
    forms.push(serde_json::to_string(&text).unwrap().trim_matches('"').as_bytes().to_vec());
    for part in secret.split(|&byte| byte == b'.') {
        forms.extend(from_base64(part).filter(|inside| inside.len() >= PIECE));
    }
    forms.sort();
    forms.dedup();
    forms
}

/// A secret as dumps of memory show it.
fn dumped_forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let listed = secret.iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let joined =
        |separator: &str| secret.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator);
    let hex = [joined(""), joined(" "), joined(":")];
    let upper = hex.each_ref().map(|hex| hex.to_uppercase());
    let forms = [listed, to_base64(secret)].into_iter().chain(hex).chain(upper);
    forms.map(String::into_bytes).collect()
}

fn percent(secret: &[u8], upper: bool) -> Vec<u8> {
    let mut out = String::new();
    for &byte in secret {
        let _ = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                write!(out, "{}", char::from(byte))
            }
            _ if upper => write!(out, "%{byte:02X}"),
            _ => write!(out, "%{byte:02x}"),
        };
    }
    out.into_bytes()
}

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without padding.
pub fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(word);
        (0..=chunk.len()).for_each(|i| out.push(SYMBOLS[(bits >> (18 - 6 * i)) as usize & 63].into()));
    }
    out
}

/// Of either alphabet.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut out) = (0u32, Vec::new());
    for (at, &symbol) in text.iter().filter(|&&symbol| symbol != b'=').enumerate() {
        let symbol = match symbol {
            b'-' => b'+',
            b'_' => b'/',
            symbol => symbol,
        };
        bits = bits << 6 | SYMBOLS.iter().position(|&known| known == symbol)? as u32;
        if at % 4 != 0 {
            out.push((bits >> (6 - at % 4 * 2)) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &[u8] =
        b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJnZWNrbyIsImp0aSI6InVuaXF1ZSJ9.c2lnbmF0dXJlIG9mIHRoYXQ";

    fn search() -> Search {
        let mut search = Search::default();
        search.add("token", TOKEN);
        search.add("signature", b"q+83/kd8+Qpm+1x9/zz==");
        search.add("password", b"a \"pass\"\0word\xff");
        search.add("pin", b"12345678");
        search
    }

    fn found(text: &str) -> Vec<String> {
        let search = search();
        search.find(text.as_bytes()).into_iter().map(|found| found.secret.to_owned()).collect()
    }

    #[test]
    fn finds_a_piece_of_a_secret_in_whatever_form() {
        let token = std::str::from_utf8(TOKEN).unwrap();
        for at in 0..TOKEN.len() - PIECE {
            assert_eq!(found(&format!("so {} it is", &token[at..at + PIECE])), ["token"]);
        }
        let signature: &[u8] = b"q+83/kd8+Qpm+1x9/zz==";
        let password: &[u8] = b"a \"pass\"\0word\xff";
        for (text, secret) in [
            (format!("{TOKEN:?}"), "token"),
            ("INFO claims={\"sub\":\"gecko\",\"jti\"".to_owned(), "token"),
            ("x-amz-signature=q%2B83%2Fkd8%2BQpm".to_owned(), "signature"),
            ("x-amz-signature=q%2b83%2fkd8%2bQpm".to_owned(), "signature"),
            (String::from_utf8_lossy(password).into_owned(), "password"),
            (format!("{:?}", String::from_utf8_lossy(password)), "password"),
            (serde_json::to_string(&String::from_utf8_lossy(password)).unwrap(), "password"),
            (format!("{password:02x?}").replace(", ", " "), "password"),
            (format!("{signature:02X?}").replace(", ", ""), "signature"),
            (format!("Basic {}", to_base64(password)), "password"),
            ("the pin is 12345678.".to_owned(), "pin"),
        ] {
            assert!(found(&text).iter().any(|found| found == secret), "{text}");
        }
    }

    #[test]
    fn says_where_and_leaves_other_texts_alone() {
        let search = search();
        assert_eq!(search.find(b"a 12345678"), [Found { at: 2, secret: "pin" }]);
        let (token, text) =
            (std::str::from_utf8(TOKEN).unwrap(), "connected to localhost:8883, session resumed");
        for innocent in ["", "1234567", text, &token[7..7 + PIECE - 1]] {
            assert_eq!(search.find(innocent.as_bytes()), [], "{innocent}");
        }
    }
}
