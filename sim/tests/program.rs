//! The program, as scripts use it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    line: String,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gecko-iot-sim"));
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { stdin: child.stdin.take(), child, line }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn directory(&self) -> PathBuf {
        PathBuf::from(self.field("dir").unwrap())
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_ready_line_names_ports_and_directory_and_a_signal_stops_it() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&["--plain", "--password", "me:secret", "--mint"]);
        assert!(program.line.starts_with("gecko-iot-sim ready mtls="), "{}", program.line);
        for name in ["mtls", "alpn", "plain", "password", "mint"] {
            let port: u16 = program.field(name).unwrap().parse().unwrap();
            TcpStream::connect(("127.0.0.1", port)).unwrap();
        }
        let directory = program.directory();
        for file in ["ca.pem", "client.pem", "client.key", "token.txt", "signature.txt", "broker-url.txt"] {
            assert!(!fs::read_to_string(directory.join(file)).unwrap().is_empty(), "{file}");
        }
        program.signal(signal);
        assert_eq!(program.exit_code(), Some(0));
        assert!(!directory.exists());
    }
}

#[test]
fn a_directory_that_was_given_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (path, file) = (directory.path().join("new"), directory.path().join("url"));
    let mut program =
        Program::start(&["--dir", path.to_str().unwrap(), "--token-file", file.to_str().unwrap()]);
    assert_eq!((program.field("plain"), program.field("mint")), (None, None));
    assert!(fs::read_to_string(&file).unwrap().starts_with("wss://localhost:"));
    program.signal("TERM");
    assert_eq!(program.exit_code(), Some(0));
    assert!(path.join("ca.pem").exists());
}

#[test]
fn it_stops_with_its_standard_input_only_if_told_so() {
    let mut program = Program::start(&["--stop-on-stdin-eof"]);
    program.stdin = None;
    assert_eq!(program.exit_code(), Some(0));

    let mut program = Program::start(&[]);
    program.stdin = None;
    assert!(program.child.try_wait().unwrap().is_none());
    program.signal("TERM");
    assert_eq!(program.exit_code(), Some(0));
}

#[test]
fn help_and_version_are_told_and_mistakes_exit_with_2() {
    let help = output(&["--help"]);
    assert!(help.status.success() && help.stdout.starts_with(b"gecko-iot-sim - "));
    assert!(output(&["-V"]).status.success());
    for arguments in [&["--nonsense"][..], &["--tls", "1.1"], &["--mtls-port", "x"], &["--dir"], &["stray"]] {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"gecko-iot-sim: "));
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = output(&["--mtls-port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&port));
}
