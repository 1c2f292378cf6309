//! As much of HTTP/1.1 as an endpoint needs that answers one GET and closes.

/// The largest head of a request that is read.
pub(crate) const MOST_HEAD: usize = 8 * 1024;

/// Where the head of a request ends, if it is all there.
pub(crate) fn head_end(input: &[u8]) -> Option<usize> {
    // A bare line feed ends a line too (RFC 9112, 2.2): people type these.
    let after = |pattern: &[u8]| {
        input.windows(pattern.len()).position(|bytes| bytes == pattern).map(|at| at + pattern.len())
    };
    [after(b"\n\r\n"), after(b"\n\n")].into_iter().flatten().min()
}

/// What the head of a GET asks for: path and query. Otherwise the answer that tells why not.
pub(crate) fn target(head: &[u8]) -> Result<(&str, &str), Answer> {
    let bad = || Answer::line(400, "this is no request of HTTP/1");
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| bad())?.trim_end_matches('\r');
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Err(bad());
    }
    if method != "GET" {
        return Err(Answer::line(405, "only GET is known here"));
    }
    Ok(target.split_once('?').unwrap_or((target, "")))
}

/// An answer, after which the connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub media_type: &'static str,
    pub body: String,
}

impl Answer {
    /// One line of text.
    pub fn line(status: u16, text: &str) -> Self {
        Self { status, media_type: "text/plain; charset=utf-8", body: format!("{text}\n") }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self { status: 200, media_type: "application/json", body: format!("{value}\n") }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "As Told",
        };
        let allow = if self.status == 405 { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             {allow}Connection: close\r\n\r\n{}",
            self.status,
            self.media_type,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert_eq!(head_end(b"GET / HTTP/1.1\r\nHost: x\r\n"), None);
        assert_eq!(head_end(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nrest"), Some(27));
        assert_eq!(head_end(b"GET / HTTP/1.0\n\nrest\n\r\n"), Some(16));
        assert_eq!(head_end(b""), None);
    }

    #[test]
    fn a_get_is_understood_and_all_else_refused() {
        assert_eq!(target(b"GET /token HTTP/1.1\r\nHost: x\r\n\r\n"), Ok(("/token", "")));
        assert_eq!(target(b"GET /token?ttl=5&a HTTP/1.0\n\n"), Ok(("/token", "ttl=5&a")));
        let table: [(&[u8], u16); 8] = [
            (b"POST /token HTTP/1.1\r\n\r\n", 405),
            (b"get /token HTTP/1.1\r\n\r\n", 405),
            (b"GET token HTTP/1.1\r\n\r\n", 400),
            (b"GET /token\r\n\r\n", 400),
            (b"GET /token HTTP/2\r\n\r\n", 400),
            (b"GET /a b HTTP/1.1\r\n\r\n", 400),
            (b"\x16\x03\x01\xff\n\n", 400),
            (b"\n\n", 400),
        ];
        for (head, status) in table {
            let answer = target(head).unwrap_err();
            assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(head));
            assert_eq!(answer.body.lines().count(), 1);
        }
    }

    #[test]
    fn an_answer_says_its_length_and_that_it_is_the_last() {
        let text = String::from_utf8(Answer::line(405, "no").bytes()).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 3\r\nCache-Control: no-store\r\nAllow: GET\r\nConnection: close\r\n\r\nno\n"
        );
    }
}
