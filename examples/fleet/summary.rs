//! What an outcome comes to.

use crate::model::Outcome;

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The second at whose end 99 % are back, or the share that came back at all.
    pub back_99: Result<usize, f64>,
    /// CONNECTs in the worst second.
    pub peak: u32,
    pub attempts: Spread,
    /// Seconds.
    pub radio: Spread,
}

#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub mean: f64,
    pub p99: f64,
}

impl Summary {
    pub fn of(outcome: &Outcome) -> Self {
        let devices = outcome.attempts.len();
        let wanted = share(devices, 99) as u32;
        let back = *outcome.back.last().unwrap_or(&0);
        let second = outcome.back.iter().position(|back| *back >= wanted);
        Self {
            back_99: second.map(|second| second + 1).ok_or(f64::from(back) / devices as f64),
            peak: outcome.arrivals.iter().copied().max().unwrap_or(0),
            attempts: Spread::of(&outcome.attempts, 1.0),
            radio: Spread::of(&outcome.radio, 1000.0),
        }
    }

    /// When 99 % are back, in words.
    pub fn back(&self, hours: u32) -> String {
        match self.back_99 {
            Ok(secs) => format!("{} s", grouped(secs as u64)),
            Err(share) => format!("{:.0} % after {hours} h", share * 100.0),
        }
    }
}

impl Spread {
    fn of(values: &[u32], unit: f64) -> Self {
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
        let mut sorted = values.to_vec();
        let (_, p99, _) = sorted.select_nth_unstable(share(values.len(), 99) - 1);
        Self { mean: mean / unit, p99: f64::from(*p99) / unit }
    }
}

/// So many percent of `all`, rounded up.
fn share(all: usize, percent: usize) -> usize {
    (all * percent).div_ceil(100)
}

/// 1234567 as 1,234,567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
