//! The command line.

use crate::model::{Overload, Scenario};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

pub const HELP: &str = include_str!("help.txt");

/// What the program was asked to do.
#[derive(Debug)]
pub enum Request {
    Help,
    Run(Arguments),
}

#[derive(Debug)]
pub struct Arguments {
    pub scenario: Scenario,
    pub alternatives: bool,
    pub svg: Option<PathBuf>,
    pub csv: Option<PathBuf>,
}

impl Default for Arguments {
    fn default() -> Self {
        let scenario = Scenario {
            devices: 1_000_000,
            admit: 500,
            overload: Overload::Refuse,
            notice: 0,
            tail: 10_000,
            end: 6 * HOUR,
            seed: 1,
        };
        Self { scenario, alternatives: false, svg: None, csv: None }
    }
}

const HOUR: u32 = 3600 * 1000;

/// Reads the command line (without the program's name). The error tells what is wrong and what would be right.
pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Request, String> {
    let mut words = words.into_iter();
    let mut arguments = Arguments::default();
    let scenario = &mut arguments.scenario;
    while let Some(word) = words.next() {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        if matches!(name.as_str(), "--alternatives" | "--help" | "-h") {
            match given {
                Some(_) => return Err(format!("{name} takes no value")),
                None if name == "--alternatives" => arguments.alternatives = true,
                None => return Ok(Request::Help),
            }
            continue;
        }
        let mut value = || match given.clone().or_else(|| words.next()) {
            Some(value) => Ok(value),
            None => Err(format!("{name} needs a value")),
        };
        match name.as_str() {
            "--devices" => scenario.devices = number(&name, &value()?, 1, 10_000_000)?,
            "--admit" => scenario.admit = number(&name, &value()?, 1, 10_000_000)?,
            "--seed" => scenario.seed = number(&name, &value()?, 0, u64::MAX)?,
            "--notice" => scenario.notice = 1000 * number(&name, &value()?, 0, 3600)?,
            "--tail" => scenario.tail = millis(&name, &value()?)?,
            "--hours" => scenario.end = HOUR * number(&name, &value()?, 1, 1000)?,
            "--overload" => {
                scenario.overload = match value()?.as_str() {
                    "refuse" => Overload::Refuse,
                    "silent" => Overload::Silent,
                    other => return Err(format!("--overload is refuse or silent, not \"{other}\"")),
                };
            }
            "--svg" => arguments.svg = Some(value()?.into()),
            "--csv" => arguments.csv = Some(value()?.into()),
            other => return Err(format!("there is no \"{other}\"; --help tells what there is")),
        }
    }
    Ok(Request::Run(arguments))
}

fn number<T: FromStr + PartialOrd + Display>(name: &str, text: &str, least: T, most: T) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!("{name} is a number from {least} to {most}, not \"{text}\"")),
    }
}

/// Seconds, with a fraction.
fn millis(name: &str, text: &str) -> Result<u32, String> {
    Ok((number(name, text, 0.0, 3600.0)? * 1000.0) as u32)
}
