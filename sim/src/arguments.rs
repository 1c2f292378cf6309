//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use gecko_iot_sim::{
    Config, ConnackProperties, ConnectionEnd, DisconnectAfter, KeepAliveRule, Limits, PasswordListener, Quotas,
    Refusal, ServerCertificate, SessionExpiryRule, TlsVersions, TokenFormat,
};
use lexopt::ValueExt;
use lexopt::prelude::{Long, Short};

pub const HELP: &str = "\
gecko-iot-sim - a simulator of AWS IoT Core: MQTT 5 on loopback ports

USAGE
    gecko-iot-sim [SWITCHES]

It prints one line when it is ready and serves until SIGTERM or SIGINT:

    gecko-iot-sim ready mtls=PORT alpn=PORT [plain=PORT] [password=PORT] dir=PATH

PATH holds ca.pem, client.pem and client.key (also as client-sec1.key; client-rsa.* and
foreign-client.* beside them), token.txt, signature.txt and broker-url.txt.

LISTENERS (PORT 0, the default, asks the system for a free one)
    --mtls-port PORT        as AWS's 8883: TLS with a client certificate
    --alpn-port PORT        as AWS's 443: ALPN x-amzn-mqtt-ca (client certificate)
                            or mqtt (custom authorizer)
    --plain[=PORT]          also one without TLS and without authentication
    --password USER:PASSWORD[@PORT]
                            also one with TLS, user name and password

TLS
    --dir PATH              write certificates and tokens there; without it into a fresh
                            directory that is removed at the end
    --tls VERSION           1.2, 1.3 or both [both]
    --server-cert KIND      good, expired, not-yet-valid, wrong-name or unknown-ca [good]
    --allow-no-sni          let clients in that send no server name; AWS does not

CUSTOM AUTHORIZER
    --authorizer NAME       its name [gecko]
    --token-key KEY         the parameter that carries the token [token]
    --no-signing            do not ask for a signature
    --authorizer-password TEXT
                            expect this password
    --token-format FORMAT   jwt or json [jwt]
    --token-ttl SECS        how long the token in the directory lives [3600]; it is written
                            anew at half of that time
    --token-file PATH       also write the broker URL with that token there
    --disconnect-after WHEN token (when the token expires), never, or SECS [token]
    --expired-end END       how a connection ends then: a DISCONNECT reason code, close or
                            reset [135]
    --bad-token ANSWER      how a bad token is answered: a CONNACK reason code or close [135]

MQTT
    --generic               a broker by the book instead of AWS: QoS 2, no limits; has --plain
    --maximum-qos QOS       0, 1 or 2 [1]
    --receive-maximum N     publishes that a client may have unacknowledged [100]
    --maximum-packet-size BYTES
                            [149504]
    --topic-alias-maximum N [8]
    --no-retain, --no-wildcards, --no-shared
                            tell clients that this is not available
    --keep-alive RULE       aws (30 to 1200 s), as-requested, or SECS [aws]
    --session-expiry-max SECS
                            longest session without a connection [604800]
    --dup                   set DUP on what is sent again; AWS does not
    --resend-after MS       send unacknowledged messages again on the same connection
    --deny FILTER           refuse publishing and subscribing there (135); may be repeated

LIMITS
    --no-limits             drop AWS's structural limits (payload 128 KiB, topic 256 bytes and
                            7 slashes, 8 filters a SUBSCRIBE, 50 subscriptions, 100 under way)
    --quotas                AWS's rates (100 publishes and 512 KiB a second a connection, 1
                            CONNECT a second a client, 10 stored messages a second)
    --publish-rate N, --byte-rate N, --connect-rate N, --replay-rate N
                            one of these rates alone
    --connect-rate-answer ANSWER
                            how too many CONNECTs are answered: a reason code or close [151]

PROGRAM
    --stop-on-stdin-eof     stop when standard input ends (with the program that started this)
    --verbose, -v           log to standard error; twice for more
    --help, -h
    --version, -V

EXAMPLES
    A token over TLS, as a device does it:
        gecko-iot-sim --dir /tmp/sim &
        my-device --cafile /tmp/sim/ca.pem --broker-url \"$(cat /tmp/sim/broker-url.txt)\"

    Any MQTT 5 client, without TLS:
        gecko-iot-sim --plain=1883 &
        mosquitto_sub -V 5 -p 1883 -t '#' -v

    Tokens that live ten seconds, and a bare close at their end:
        gecko-iot-sim --token-ttl 10 --expired-end close --verbose
";

/// What the program was asked to do.
pub enum Request {
    Help,
    Version,
    Run(Box<Arguments>),
}

pub struct Arguments {
    pub config: Config,
    pub token_file: Option<PathBuf>,
    pub stop_on_stdin_eof: bool,
    pub verbosity: usize,
}

/// Reads the command line (without the program's name). The error tells what is wrong and what would be right.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut config = Config::default();
    let (mut token_file, mut stop_on_stdin_eof, mut verbosity, mut first) = (None, false, 0, true);

    while let Some(argument) = parser.next().map_err(text)? {
        let name = match argument {
            Short('h') => return Ok(Request::Help),
            Short('V') => return Ok(Request::Version),
            Short('v') => "verbose".to_owned(),
            Long(name) => name.to_owned(),
            other => return Err(text(other.unexpected())),
        };
        let connack = &mut config.connack;
        let authorizer = &mut config.authorizer;
        let quotas = &mut config.quotas;
        let flag = match name.as_str() {
            "help" => return Ok(Request::Help),
            "version" => return Ok(Request::Version),
            "verbose" => {
                verbosity += 1;
                true
            }
            "stop-on-stdin-eof" => {
                stop_on_stdin_eof = true;
                true
            }
            "generic" if first => {
                config = Config::generic_broker();
                true
            }
            "generic" => return Err("--generic replaces all other settings: let it come first".to_owned()),
            "allow-no-sni" => {
                config.require_sni = false;
                true
            }
            "no-signing" => {
                authorizer.signing = false;
                true
            }
            "no-retain" => {
                connack.retain_available = Some(false);
                true
            }
            "no-wildcards" => {
                connack.wildcard_available = Some(false);
                true
            }
            "no-shared" => {
                connack.shared_available = Some(false);
                true
            }
            "dup" => {
                config.delivery.set_dup = true;
                true
            }
            "no-limits" => {
                config.limits = Limits::none();
                true
            }
            "quotas" => {
                config.quotas = Quotas { connect_refusal: quotas.connect_refusal, ..Quotas::aws() };
                true
            }
            _ => false,
        };
        first = false;
        if flag {
            if parser.optional_value().is_some() {
                return Err(format!("--{name} takes no value"));
            }
            continue;
        }
        if name == "plain" {
            config.plain_port = match parser.optional_value() {
                Some(value) => Some(number(&name, string(&name, value)?, "a port (0 to 65535)")?),
                None => Some(0),
            };
            continue;
        }
        if !VALUED.contains(&name.as_str()) {
            return Err(format!("--{name} is unknown; --help tells what there is"));
        }
        let value = parser.value().map_err(text)?;
        if name == "dir" {
            config.directory = Some(PathBuf::from(value));
            continue;
        }
        if name == "token-file" {
            token_file = Some(PathBuf::from(value));
            continue;
        }
        let value = string(&name, value)?;
        set(&mut config, &name, value)?;
    }
    Ok(Request::Run(Box::new(Arguments { config, token_file, stop_on_stdin_eof, verbosity })))
}

/// The switches that need a value.
const VALUED: [&str; 31] = [
    "mtls-port",
    "alpn-port",
    "password",
    "dir",
    "tls",
    "server-cert",
    "authorizer",
    "token-key",
    "authorizer-password",
    "token-format",
    "token-ttl",
    "token-file",
    "disconnect-after",
    "expired-end",
    "bad-token",
    "maximum-qos",
    "receive-maximum",
    "maximum-packet-size",
    "topic-alias-maximum",
    "keep-alive",
    "session-expiry-max",
    "resend-after",
    "deny",
    "publish-rate",
    "byte-rate",
    "connect-rate",
    "replay-rate",
    "connect-rate-answer",
    "connect-timeout",
    "subscriptions",
    "queue",
];

fn set(config: &mut Config, name: &str, value: String) -> Result<(), String> {
    let connack = &mut config.connack;
    let authorizer = &mut config.authorizer;
    let quotas = &mut config.quotas;
    match name {
        "mtls-port" => config.mtls_port = number(name, value, "a port (0 to 65535)")?,
        "alpn-port" => config.alpn_port = number(name, value, "a port (0 to 65535)")?,
        "password" => config.password_listener = Some(password_listener(&value)?),
        "tls" => {
            let versions =
                [("1.2", TlsVersions::Tls12), ("1.3", TlsVersions::Tls13), ("both", TlsVersions::Both)];
            config.tls_versions = choice(name, &value, &versions)?;
        }
        "server-cert" => {
            let kinds = [
                ("good", ServerCertificate::Good),
                ("expired", ServerCertificate::Expired),
                ("not-yet-valid", ServerCertificate::NotYetValid),
                ("wrong-name", ServerCertificate::WrongName),
                ("unknown-ca", ServerCertificate::UnknownCa),
            ];
            config.server_certificate = choice(name, &value, &kinds)?;
        }
        "authorizer" => authorizer.name = not_empty(name, value)?,
        "token-key" => authorizer.token_key = not_empty(name, value)?,
        "authorizer-password" => authorizer.password = Some(value.into_bytes()),
        "token-format" => {
            authorizer.token_format =
                choice(name, &value, &[("jwt", TokenFormat::Jwt), ("json", TokenFormat::Json)])?;
        }
        "token-ttl" => authorizer.token_ttl = seconds(name, value)?,
        "disconnect-after" => {
            authorizer.disconnect_after = match value.as_str() {
                "token" => DisconnectAfter::TokenExpiry,
                "never" => DisconnectAfter::Never,
                _ => DisconnectAfter::Duration(seconds(name, value)?),
            }
        }
        "expired-end" => {
            authorizer.end = match value.as_str() {
                "close" => ConnectionEnd::Close,
                "reset" => ConnectionEnd::Reset,
                _ => ConnectionEnd::Disconnect(number(name, value, "a reason code, close or reset")?),
            }
        }
        "bad-token" => authorizer.refusal = refusal(name, value)?,
        "maximum-qos" => {
            connack.maximum_qos = choice(name, &value, &[("0", Some(0)), ("1", Some(1)), ("2", None)])?;
        }
        "receive-maximum" => connack.receive_maximum = Some(positive(name, value)?),
        "maximum-packet-size" => connack.maximum_packet_size = Some(positive(name, value)?),
        "topic-alias-maximum" => connack.topic_alias_maximum = Some(number(name, value, "a number up to 65535")?),
        "keep-alive" => {
            config.keep_alive = match value.as_str() {
                "aws" => KeepAliveRule::Aws,
                "as-requested" => KeepAliveRule::AsRequested,
                _ => KeepAliveRule::Fixed(number(name, value, "aws, as-requested or seconds up to 65535")?),
            }
        }
        "session-expiry-max" => config.session_expiry.maximum_secs = number(name, value, "seconds")?,
        "resend-after" => {
            config.delivery.resend_after = Some(Duration::from_millis(positive(name, value)?));
        }
        "deny" => config.denied_topics.push(not_empty(name, value)?),
        "publish-rate" => quotas.publishes_per_second = Some(positive(name, value)?),
        "byte-rate" => quotas.bytes_per_second = Some(positive(name, value)?),
        "connect-rate" => quotas.connects_per_second = Some(positive(name, value)?),
        "replay-rate" => quotas.replays_per_second = Some(positive(name, value)?),
        "connect-rate-answer" => quotas.connect_refusal = refusal(name, value)?,
        _ => return Err(format!("--{name} is unknown; --help tells what there is")),
    }
    Ok(())
}
