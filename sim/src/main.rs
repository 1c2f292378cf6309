//! The program `gecko-iot-sim`; see `--help`.

mod arguments;

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use gecko_iot_sim::{Config, Simulator, Token};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::level_filters::LevelFilter;

use arguments::{Arguments, HELP, Request};

/// The command line is wrong.
const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => return say(HELP),
        Ok(Request::Version) => return say(concat!("gecko-iot-sim ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Run(arguments)) => arguments,
        Err(error) => {
            eprintln!("gecko-iot-sim: {error}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match serve(*arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gecko-iot-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> ExitCode {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

type Failure = Box<dyn std::error::Error>;

fn serve(arguments: Arguments) -> Result<(), Failure> {
    let level = [LevelFilter::OFF, LevelFilter::INFO, LevelFilter::DEBUG][arguments.verbosity.min(2)];
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    // These come first, so that a signal after the ready line cannot be missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stdin_ended = arguments.stop_on_stdin_eof.then(stdin_eof);
    let ttl = arguments.config.authorizer.token_ttl;
    let token_file = arguments.token_file.as_deref();

    // Nobody can ask the program for them.
    let config = Config { record_publishes: false, ..arguments.config };
    let simulator = Simulator::start(config).await?;
    renew_token(&simulator, ttl, token_file)?;
    announce(&simulator)?;

    let mut ended = std::pin::pin!(async {
        match stdin_ended {
            // The sender is dropped if the thread could not be started; then it has ended too.
            Some(ended) => drop(ended.await),
            None => std::future::pending().await,
        }
    });
    let result = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            () = &mut ended => break Ok(()),
            () = sleep(ttl / 2) => {
                if let Err(error) = renew_token(&simulator, ttl, token_file) {
                    break Err(error);
                }
            }
        }
    };
    simulator.stop().await;
    result
}

fn announce(simulator: &Simulator) -> io::Result<()> {
    let mut line =
        format!("gecko-iot-sim ready mtls={} alpn={}", simulator.mtls_port(), simulator.alpn_port());
    let optional = [
        ("plain", simulator.plain_port()),
        ("password", simulator.password_port()),
        ("mint", simulator.mint_port()),
    ];
    for (name, port) in optional {
        if let Some(port) = port {
            line += &format!(" {name}={port}");
        }
    }
    let mut out = io::stdout();
    writeln!(out, "{line} dir={}", simulator.directory().display())?;
    out.flush()
}

/// Mints a token and writes it where clients look for it.
fn renew_token(simulator: &Simulator, ttl: Duration, file: Option<&Path>) -> Result<(), Failure> {
    let token: Token = simulator.mint_token(ttl)?;
    simulator.write_token(&token)?;
    if let Some(file) = file {
        simulator.write_broker_url(&token, file)?;
    }
    Ok(())
}

/// Tells when standard input ends. A thread of its own waits for that: nothing can interrupt a blocking read, and
/// the process may end under it.
fn stdin_eof() -> oneshot::Receiver<()> {
    let (tell, ended) = oneshot::channel();
    let wait = move || {
        let mut buffer = [0; 256];
        let mut input = io::stdin().lock();
        while !matches!(input.read(&mut buffer), Ok(0) | Err(_)) {}
        let _ = tell.send(());
    };
    if let Err(error) = thread::Builder::new().name("stdin".to_owned()).spawn(wait) {
        tracing::error!("standard input is not watched: {error}");
    }
    ended
}
