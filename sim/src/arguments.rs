//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use gecko_iot_sim::{
    Config, ConnectionEnd, DisconnectAfter, KeepAliveRule, Limits, PasswordListener, Quotas, Refusal,
    ServerCertificate, SessionExpiryRule, TlsVersions, TokenFormat,
};
use lexopt::Parser;
use lexopt::prelude::{Long, Short};

pub const HELP: &str = include_str!("help.txt");

/// What the program was asked to do.
#[derive(Debug)]
pub enum Request {
    Help,
    Version,
    Run(Box<Arguments>),
}

#[derive(Debug, Default)]
pub struct Arguments {
    pub config: Config,
    pub token_file: Option<PathBuf>,
    pub stop_on_stdin_eof: bool,
    pub verbosity: usize,
}

/// Reads the command line (without the program's name). The error tells what is wrong and what would be right.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut parser = Parser::from_args(words);
    let mut arguments = Arguments::default();
    let mut first = true;
    while let Some(argument) = parser.next().map_err(text)? {
        let name = match argument {
            Short('h') => "help".to_owned(),
            Short('V') => "version".to_owned(),
            Short('v') => "verbose".to_owned(),
            Long(name) => name.to_owned(),
            other => return Err(format!("{}; --help tells what there is", other.unexpected())),
        };
        match name.as_str() {
            "help" => return Ok(Request::Help),
            "version" => return Ok(Request::Version),
            "verbose" => arguments.verbosity += 1,
            "stop-on-stdin-eof" => arguments.stop_on_stdin_eof = true,
            "token-file" => arguments.token_file = Some(PathBuf::from(parser.value().map_err(text)?)),
            "generic" if first => arguments.config = Config::generic_broker(),
            "generic" => {
                return Err("--generic replaces all other settings, so it must come first".to_owned());
            }
            _ => set(&mut arguments.config, &mut Switch { name: &name, parser: &mut parser })?,
        }
        first = false;
    }
    Ok(Request::Run(Box::new(arguments)))
}

fn set(config: &mut Config, switch: &mut Switch) -> Result<(), String> {
    let connack = &mut config.connack;
    let authorizer = &mut config.authorizer;
    let quotas = &mut config.quotas;
    match switch.name {
        "mtls-port" => config.mtls_port = switch.number(PORT)?,
        "alpn-port" => config.alpn_port = switch.number(PORT)?,
        "plain" => config.plain_port = Some(switch.optional_port()?),
        "mint" => config.mint_port = Some(switch.optional_port()?),
        "password" => config.password_listener = Some(switch.password_listener()?),
        "secrets-file" => config.secrets_file = Some(PathBuf::from(switch.parser.value().map_err(text)?)),
        "dir" => config.directory = Some(PathBuf::from(switch.parser.value().map_err(text)?)),
        "tls" => {
            config.tls_versions = switch.choice(&[
                ("1.2", TlsVersions::Tls12),
                ("1.3", TlsVersions::Tls13),
                ("both", TlsVersions::Both),
            ])?;
        }
        "server-cert" => {
            config.server_certificate = switch.choice(&[
                ("good", ServerCertificate::Good),
                ("expired", ServerCertificate::Expired),
                ("not-yet-valid", ServerCertificate::NotYetValid),
                ("wrong-name", ServerCertificate::WrongName),
                ("unknown-ca", ServerCertificate::UnknownCa),
            ])?;
        }
        "allow-no-sni" => config.require_sni = false,
        "authorizer" => authorizer.name = switch.text()?,
        "token-key" => authorizer.token_key = switch.text()?,
        "no-signing" => authorizer.signing = false,
        "authorizer-password" => authorizer.password = Some(switch.text()?.into_bytes()),
        "token-format" => {
            authorizer.token_format =
                switch.choice(&[("jwt", TokenFormat::Jwt), ("json", TokenFormat::Json)])?;
        }
        "token-ttl" => authorizer.token_ttl = Duration::from_secs(switch.positive()?),
        "disconnect-after" => {
            authorizer.disconnect_after = switch
                .word_or_number("token, never or seconds", |word| match word {
                    "token" => Some(DisconnectAfter::TokenExpiry),
                    "never" => Some(DisconnectAfter::Never),
                    _ => None,
                })?
                .unwrap_or_else(|secs: u32| DisconnectAfter::Duration(Duration::from_secs(secs.into())));
        }
        "refresh-after" => authorizer.refresh_after = Some(Duration::from_secs(switch.positive()?)),
        "expired-end" => authorizer.end = switch.end()?,
        "bad-token" => authorizer.refusal = switch.refusal()?,
        "clock-behind" => authorizer.clock_behind = Duration::from_secs(switch.number("seconds")?),
        "maximum-qos" => {
            connack.maximum_qos = switch.choice(&[("0", Some(0)), ("1", Some(1)), ("2", None)])?;
        }
        "receive-maximum" => connack.receive_maximum = switch.positive_or_none()?,
        "maximum-packet-size" => connack.maximum_packet_size = switch.positive_or_none()?,
        "topic-alias-maximum" => connack.topic_alias_maximum = Some(switch.number("0 to 65535")?),
        "no-retain" => connack.retain_available = Some(false),
        "no-wildcards" => connack.wildcard_available = Some(false),
        "no-shared" => connack.shared_available = Some(false),
        "keep-alive" => {
            config.keep_alive = switch
                .word_or_number("aws, as-requested or seconds (0 to 65535)", |word| match word {
                    "aws" => Some(KeepAliveRule::Aws),
                    "as-requested" => Some(KeepAliveRule::AsRequested),
                    _ => None,
                })?
                .unwrap_or_else(KeepAliveRule::Fixed);
        }
        "session-expiry-max" => config.session_expiry.maximum_secs = switch.number("seconds")?,
        "no-sessions" => config.session_expiry = SessionExpiryRule::none(),
        "takeover-end" => config.takeover_end = switch.end()?,
        "dup" => config.delivery.set_dup = true,
        "resend-after" => {
            config.delivery.resend_after = Some(Duration::from_millis(switch.positive()?));
        }
        "topic-aliases" => config.delivery.topic_aliases = true,
        "deny" => config.denied_topics.push(switch.text()?),
        "deny-connect" => config.policy.deny_connect = Some(switch.refusal()?),
        "deny-publish" => config.policy.deny_publish.push(switch.text()?),
        "deny-publish-answer" => config.policy.publish_refusal = switch.refusal()?,
        "deny-subscribe" => config.policy.deny_subscribe.push(switch.text()?),
        "deny-receive" => config.policy.deny_receive.push(switch.text()?),
        "no-limits" => config.limits = Limits::none(),
        "quotas" => *quotas = Quotas { connect_refusal: quotas.connect_refusal, ..Quotas::aws() },
        "publish-rate" => quotas.publishes_per_second = Some(switch.positive()?),
        "byte-rate" => quotas.bytes_per_second = Some(switch.positive()?),
        "connect-rate" => quotas.connects_per_second = Some(switch.positive()?),
        "replay-rate" => quotas.replays_per_second = Some(switch.positive()?),
        "connect-rate-answer" => quotas.connect_refusal = switch.refusal()?,
        name => return Err(format!("--{name} is unknown; --help tells what there is")),
    }
    Ok(())
}

const PORT: &str = "a port (0 to 65535)";

/// A switch whose value is still to be read.
struct Switch<'a> {
    name: &'a str,
    parser: &'a mut Parser,
}

impl Switch<'_> {
    fn wrong(&self, value: impl Display, wanted: &str) -> String {
        format!("--{} cannot be {value:?}: it takes {wanted}", self.name, value = value.to_string())
    }

    fn text(&mut self) -> Result<String, String> {
        let value = self.parser.value().map_err(text)?;
        let value = value.into_string().map_err(|raw| self.wrong(raw.to_string_lossy(), "UTF-8"))?;
        if value.is_empty() { Err(self.wrong(value, "a text that is not empty")) } else { Ok(value) }
    }

    fn read_number<T: FromStr>(&self, value: &OsString, wanted: &str) -> Result<T, String> {
        let value = value.to_string_lossy();
        value.parse().map_err(|_| self.wrong(value, wanted))
    }

    fn number<T: FromStr>(&mut self, wanted: &str) -> Result<T, String> {
        let value = self.parser.value().map_err(text)?;
        self.read_number(&value, wanted)
    }

    /// The value after `=`, or 0.
    fn optional_port(&mut self) -> Result<u16, String> {
        let value = self.parser.optional_value();
        value.map_or(Ok(0), |value| self.read_number(&value, PORT))
    }

    fn positive<T: FromStr + PartialEq + Default>(&mut self) -> Result<T, String> {
        let value = self.parser.value().map_err(text)?;
        self.read_positive(&value, &format!("a number from 1 on, of {} bits", 8 * size_of::<T>()))
    }

    fn positive_or_none<T: FromStr + PartialEq + Default>(&mut self) -> Result<Option<T>, String> {
        let value = self.parser.value().map_err(text)?;
        if value == "none" {
            return Ok(None);
        }
        let wanted = format!("none, or a number from 1 on, of {} bits", 8 * size_of::<T>());
        self.read_positive(&value, &wanted).map(Some)
    }

    fn read_positive<T: FromStr + PartialEq + Default>(
        &self,
        value: &OsString,
        wanted: &str,
    ) -> Result<T, String> {
        let number = self.read_number(value, wanted)?;
        if number == T::default() { Err(self.wrong(value.to_string_lossy(), wanted)) } else { Ok(number) }
    }

    fn choice<T: Clone>(&mut self, choices: &[(&str, T)]) -> Result<T, String> {
        let value = self.text()?;
        let found = choices.iter().find(|(name, _)| *name == value);
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        found.map(|(_, choice)| choice.clone()).ok_or_else(|| self.wrong(value, &names.join(", ")))
    }

    /// One of some words (`Ok`), or else a number (`Err`, for `unwrap_or_else`).
    fn word_or_number<T, N: FromStr>(
        &mut self,
        wanted: &str,
        word: impl Fn(&str) -> Option<T>,
    ) -> Result<Result<T, N>, String> {
        let value = self.text()?;
        match word(&value) {
            Some(found) => Ok(Ok(found)),
            None => self.read_number(&value.into(), wanted).map(Err),
        }
    }

    fn refusal(&mut self) -> Result<Refusal, String> {
        let close = |word: &str| (word == "close").then_some(Refusal::Close);
        Ok(self.word_or_number("a reason code (0 to 255) or close", close)?.unwrap_or_else(Refusal::Connack))
    }

    fn end(&mut self) -> Result<ConnectionEnd, String> {
        let word = |word: &str| match word {
            "close" => Some(ConnectionEnd::Close),
            "reset" => Some(ConnectionEnd::Reset),
            _ => None,
        };
        let wanted = "a reason code (0 to 255), close or reset";
        Ok(self.word_or_number(wanted, word)?.unwrap_or_else(ConnectionEnd::Disconnect))
    }

    fn password_listener(&mut self) -> Result<PasswordListener, String> {
        let value = self.text()?;
        let wanted = "USER:PASSWORD or USER:PASSWORD@PORT";
        let (user_name, rest) = value.split_once(':').ok_or_else(|| self.wrong("(a secret)", wanted))?;
        let (password, port) = match rest.rsplit_once('@') {
            Some((password, port)) => (password, port.parse().map_err(|_| self.wrong(port, PORT))?),
            None => (rest, 0),
        };
        Ok(PasswordListener { port, user_name: user_name.to_owned(), password: password.as_bytes().to_vec() })
    }
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Box<Arguments>, String> {
        match parse(line.split_whitespace().map(OsString::from))? {
            Request::Run(arguments) => Ok(arguments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_switch_of_the_help_is_known() {
        let names = HELP.split(|c: char| c.is_whitespace() || ",=[".contains(c));
        for name in names.filter_map(|word| word.strip_prefix("--")).filter(|name| !name.is_empty()) {
            // Those of the programs in the examples.
            if ["cafile", "broker-url-file"].contains(&name) {
                continue;
            }
            let verdict = parse([format!("--{name}").into()]);
            if let Err(error) = verdict {
                assert!(!error.contains("unknown"), "{error}");
            }
        }
    }

    #[test]
    fn values_arrive_where_they_belong() {
        let arguments = run("--plain --alpn-port 8443 --tls 1.2 --server-cert expired --token-ttl 10 \
             --expired-end close --bad-token 134 --disconnect-after 300 --refresh-after 7 --maximum-qos 2 --keep-alive 5 \
             --receive-maximum none --maximum-packet-size 7 --takeover-end reset --no-sessions --password me:secret@77 --deny a/# --deny b --deny-connect close --deny-publish c \
             --deny-publish-answer close --deny-subscribe d --deny-receive e --clock-behind 9 -vv --stop-on-stdin-eof")
        .unwrap();
        let config = &arguments.config;
        assert_eq!((config.plain_port, config.alpn_port), (Some(0), 8443));
        assert_eq!(config.tls_versions, TlsVersions::Tls12);
        assert_eq!(config.server_certificate, ServerCertificate::Expired);
        assert_eq!(config.authorizer.end, ConnectionEnd::Close);
        assert_eq!(config.connack.receive_maximum, None);
        assert_eq!(config.connack.maximum_packet_size, Some(7));
        assert_eq!(config.takeover_end, ConnectionEnd::Reset);
        assert_eq!(config.session_expiry, SessionExpiryRule::none());
        assert_eq!(config.authorizer.refusal, Refusal::Connack(134));
        assert_eq!(config.authorizer.disconnect_after, DisconnectAfter::Duration(Duration::from_secs(300)));
        assert_eq!(config.authorizer.refresh_after, Some(Duration::from_secs(7)));
        assert_eq!(config.connack.maximum_qos, None);
        assert_eq!(config.keep_alive, KeepAliveRule::Fixed(5));
        assert_eq!(config.password_listener.as_ref().map(|listener| listener.port), Some(77));
        assert_eq!(config.denied_topics, ["a/#", "b"]);
        let policy = &config.policy;
        assert_eq!((policy.deny_connect, policy.publish_refusal), (Some(Refusal::Close), Refusal::Close));
        assert_eq!(
            [&policy.deny_publish, &policy.deny_subscribe, &policy.deny_receive],
            [&["c"], &["d"], &["e"]]
        );
        assert_eq!(config.authorizer.clock_behind, Duration::from_secs(9));
        assert!(arguments.stop_on_stdin_eof && arguments.verbosity == 2);
        assert_eq!(run("--plain=1883").unwrap().config.plain_port, Some(1883));
        assert_eq!(run("--mint").unwrap().config.mint_port, Some(0));
        assert_eq!(run("--mint=80").unwrap().config.mint_port, Some(80));
    }

    #[test]
    fn wrong_values_are_named() {
        let table = [
            ("--nonsense", "--nonsense is unknown"),
            ("stray", "stray"),
            ("--mtls-port 70000", "--mtls-port cannot be \"70000\""),
            ("--mint=x", "--mint cannot be \"x\""),
            ("--tls 1.1", "it takes 1.2, 1.3, both"),
            ("--token-ttl 0", "a number from 1 on"),
            ("--receive-maximum 65536", "16 bits"),
            ("--expired-end 256", "close or reset"),
            ("--password secret", "USER:PASSWORD"),
            ("--dup=yes", "dup"),
            ("--dup --generic", "must come first"),
            ("--dir", "--dir"),
        ];
        for (line, expected) in table {
            let error = run(line).err().unwrap_or_default();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
