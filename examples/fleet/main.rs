//! A fleet loses its broker at once: what the library's reconnection makes of it. See docs/fleet.md.

mod arguments;
mod model;
mod plot;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;
mod variants;

use arguments::{Arguments, Request};
use model::{Outcome, Overload, Scenario, Variant, simulate};
use plot::Line;
use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use summary::{Summary, grouped};

/// Simulations at a time: each needs 130 MB for a million devices.
const AT_A_TIME: usize = 4;

/// A simulation that is over, without what it knew of each device.
struct Run {
    name: String,
    summary: Summary,
    outcome: Outcome,
}

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args().skip(1)) {
        Ok(Request::Run(arguments)) => arguments,
        Ok(Request::Help) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("fleet: {message}");
            return ExitCode::from(2);
        }
    };
    match work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("fleet: {message}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments) -> Result<(), String> {
    let scenario = &arguments.scenario;
    println!("{}\n", told(scenario));
    let runs =
        run_all(&variants::jitters().into_iter().map(|variant| (*scenario, variant)).collect::<Vec<_>>());
    println!("{}", table(&runs, scenario));
    if let Some(path) = &arguments.svg {
        write(path, &drawing(&runs, scenario))?;
    }
    if let Some(path) = &arguments.csv {
        write(path, &csv(&runs))?;
    }
    if arguments.alternatives {
        println!("{}", alternatives(scenario));
    }
    Ok(())
}

fn told(scenario: &Scenario) -> String {
    let Scenario { devices, admit, overload, notice, tail, seed, .. } = *scenario;
    let excess = match overload {
        Overload::Refuse => "refuses the others at once",
        Overload::Silent => "does not answer the others",
    };
    let noticed = match notice {
        0 => "at once".to_owned(),
        millis => format!("within {} s", millis / 1000),
    };
    format!(
        "{} devices notice the loss {noticed}; the broker accepts {} CONNECTs a second and {excess}; radio tail {} s; \
         seed {seed}.\nNobody could have 99 % back in less than {} s.",
        grouped(devices.into()),
        grouped(admit.into()),
        f64::from(tail) / 1000.0,
        grouped((u64::from(devices) * 99).div_ceil(100 * u64::from(admit))),
    )
}

/// Runs all of them, several at a time; the results come in the order of the jobs.
fn run_all(jobs: &[(Scenario, Variant)]) -> Vec<Run> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(AT_A_TIME);
    let next = Mutex::new(jobs.iter().enumerate());
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let Some((place, (scenario, variant))) = next.lock().unwrap().next() else { return };
                    let mut outcome = simulate(scenario, variant);
                    let summary = Summary::of(&outcome);
                    (outcome.attempts, outcome.radio) = (Vec::new(), Vec::new());
                    let mut runs = runs.lock().unwrap();
                    runs.push((place, Run { name: variant.name.clone(), summary, outcome }));
                    if stderr().is_terminal() {
                        eprint!("{} of {} simulations\r", runs.len(), jobs.len());
                    }
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap();
    runs.sort_by_key(|(place, _)| *place);
    runs.into_iter().map(|(_, run)| run).collect()
}

fn table(runs: &[Run], scenario: &Scenario) -> String {
    let mut text = String::from(
        "| jitter                      | 99 % back      | most CONNECTs in a second | attempts: mean, p99 | radio on: mean, p99 |\n\
         | --------------------------- | -------------: | ------------------------: | ------------------: | ------------------: |\n",
    );
    for Run { name, summary, .. } in runs {
        let attempts = format!("{:.1}, {:.0}", summary.attempts.mean, summary.attempts.p99);
        let radio = format!("{:.0} s, {:.0} s", summary.radio.mean, summary.radio.p99);
        let (back, peak) = (summary.back(hours(scenario)), grouped(summary.peak.into()));
        let _ = writeln!(text, "| {name:27} | {back:>14} | {peak:>25} | {attempts:>19} | {radio:>19} |");
    }
    text
}

fn hours(scenario: &Scenario) -> u32 {
    scenario.end / 3_600_000
}

/// Fleets as shares of the whole one, in percent.
const SIZES: [u32; 5] = [2, 3, 10, 30, 100];

/// One line a rule: for each size of fleet when 99 % are back, attempts and radio time a device.
fn alternatives(scenario: &Scenario) -> String {
    let rules = variants::alternatives();
    let fleets = SIZES.map(|percent| Scenario {
        devices: ((u64::from(scenario.devices) * u64::from(percent)).div_ceil(100)) as u32,
        ..*scenario
    });
    let jobs: Vec<_> =
        rules.iter().flat_map(|rule| fleets.map(|scenario| (scenario, rule.clone()))).collect();
    let runs = run_all(&jobs);
    let mut text = String::from(
        "When 99 % are back, attempts a device and its radio time (means), for fleets of several sizes; the most CONNECTs\n\
         in a second for the last of them. Rules: the cool-down as a share of 300 s, the factor where the server is busy.\n\n",
    );
    let _ = write!(text, "| {:35} |", "rule");
    for fleet in fleets {
        let _ = write!(text, " {:>21} |", grouped(fleet.devices.into()));
    }
    let _ = writeln!(text, " {:>9} |", "peak");
    let _ = writeln!(text, "| {:-<35} |{} --------: |", "", " --------------------: |".repeat(fleets.len()));
    for runs in runs.chunks(fleets.len()) {
        let _ = write!(text, "| {:35} |", runs[0].name);
        for run in runs {
            let (attempts, radio) = (run.summary.attempts.mean, run.summary.radio.mean);
            let cell = format!("{}, {attempts:.1}, {radio:.0} s", run.summary.back(hours(scenario)));
            let _ = write!(text, " {cell:>21} |");
        }
        let _ = writeln!(text, " {:>9} |", grouped(runs[runs.len() - 1].summary.peak.into()));
    }
    text
}

/// Variants in the drawing, and what they are called there.
const DRAWN: [(&str, &str); 5] = [
    ("none with cool-down", "no jitter"),
    ("equal with cool-down", "equal"),
    ("decorrelated with cool-down", "decorrelated"),
    ("full without", "full, no cool-down"),
    (variants::LIBRARY, "full (the library)"),
];

fn drawing(runs: &[Run], scenario: &Scenario) -> String {
    let mut lines = Vec::new();
    for (variant, name) in DRAWN {
        let drawn = runs.iter().filter(|run| run.name == variant);
        lines.extend(drawn.map(|Run { outcome, .. }| Line {
            name,
            arrivals: &outcome.arrivals,
            back: &outcome.back,
        }));
    }
    // Without jitter it takes hours: those are not shown.
    let shown = runs.iter().filter(|run| !run.name.starts_with("none"));
    let span = shown.map(|run| run.outcome.back.len()).max().unwrap_or(0);
    let title = format!(
        "{} devices lose a broker that then accepts {} CONNECTs a second",
        grouped(scenario.devices.into()),
        grouped(scenario.admit.into())
    );
    plot::draw(&title, &lines, scenario.devices, scenario.admit, span)
}

fn csv(runs: &[Run]) -> String {
    let mut text = String::from("variant,second,connects,accepted,back\n");
    for Run { name, outcome, .. } in runs {
        let both = outcome.arrivals.iter().zip(&outcome.admitted).zip(&outcome.back);
        for (second, ((connects, accepted), back)) in both.enumerate() {
            let _ = writeln!(text, "{name},{second},{connects},{accepted},{back}");
        }
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
