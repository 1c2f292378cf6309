//! Tokens, URLs and keys that cannot be used, each of them with a secret in it.

use crate::search::to_base64;
use gecko_iot_sim::Token;
use gecko_mqtt::TokenInput;

/// A token that cannot be used.
#[derive(Default)]
pub struct Bad {
    access_token: Option<String>,
    username: Option<String>,
    signature: Option<String>,
    broker_url: Option<String>,
}

impl Bad {
    pub fn input(&self) -> TokenInput<'_> {
        TokenInput {
            access_token: self.access_token.as_deref(),
            username: self.username.as_deref(),
            signature: self.signature.as_deref(),
            broker_url: self.broker_url.as_deref(),
            ..TokenInput::default()
        }
    }
}

pub fn bad_tokens(good: &Token) -> Vec<Bad> {
    let Token { token, signature, broker_url, user_name, .. } = good;
    let access_tokens = [
        format!("{token}\n"),
        format!(" {token}"),
        format!("{token}\0"),
        token.repeat(40),
        broker_url.clone(),
        to_base64(format!("{{\"exp\":\"{token}\"}}").as_bytes()),
    ];
    let tokens = access_tokens.into_iter().map(|bad| Bad { access_token: Some(bad), ..Bad::default() });
    let signatures =
        [format!("{signature} "), format!("{signature}%"), signature.repeat(13), format!("é{signature}")];
    let signed = signatures.into_iter().map(|bad| Bad {
        access_token: Some(token.clone()),
        signature: Some(bad),
        ..Bad::default()
    });
    let urls = bad_urls(broker_url).into_iter().map(|bad| Bad { broker_url: Some(bad), ..Bad::default() });
    let others = [
        Bad { access_token: Some(token.clone()), username: Some(format!("{user_name}\n")), ..Bad::default() },
        Bad { access_token: Some(token.clone()), broker_url: Some(broker_url.clone()), ..Bad::default() },
        Bad { signature: Some(signature.clone()), ..Bad::default() },
    ];
    tokens.chain(signed).chain(urls).chain(others).collect()
}

pub fn bad_urls(url: &str) -> Vec<String> {
    let token = url.split("token=").nth(1).unwrap();
    vec![
        format!("{url}\n"),
        format!(" {url}"),
        format!("{url}%zz"),
        format!("{url}%FF"),
        format!("{url}#{token}"),
        format!("{url}&other={token}"),
        format!("{url}&token={token}"),
        format!("{url}&{token}"),
        format!("{url}é"),
        url.repeat(20),
        url.replace("wss://", "ws://"),
        url.replace("wss://", "https://"),
        url.replace("wss://", "mqtts://"),
        url.replace("wss://", ""),
        url.replace("wss://", &format!("{token}://")),
        url.replace("wss://", &format!("wss://me:{token}@")),
        url.replace("wss://", &format!("wss://{token}/")),
        url.replace("/mqtt?", &format!("/{token}?")),
        url.replace("/mqtt?", &format!(":{token}/mqtt?")),
        url.replace("name=gecko", "nome=gecko"),
        url.replace("name=gecko", "name="),
        url.replace("token=", ""),
        url.replace("token=", "amp;token="),
        url.replace("&token=", "&"),
        url.replace("signature=", "signature=%20"),
    ]
}

pub fn bad_keys(pem: &str) -> Vec<String> {
    let middle = pem.len() / 2;
    vec![
        pem.replace('\n', ""),
        pem.replace('\n', " "),
        pem.replace('\n', "\\n"),
        pem.replace("-----\n", "-----"),
        pem.replace("-----BEGIN ", "-----BEGIN X"),
        pem.replace("-----END ", "-----END X"),
        pem.replace("-----END", "----END"),
        format!("{}*{}", &pem[..middle], &pem[middle..]),
        pem[..middle].to_owned(),
        pem[30..].to_owned(),
        pem.lines().skip(1).collect(),
        pem.replace("PRIVATE KEY", &pem[40..90].replace('\n', "")),
        pem.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        format!("{pem}{pem}").replace("-----END", "-----BEGIN"),
    ]
}
