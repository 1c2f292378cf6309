use crate::arguments::{Arguments, Request, parse};
use crate::model::{Overload, SHORTEST, Scenario, Variant, simulate};
use crate::summary::{Summary, grouped};
use crate::{DRAWN, drawing, run_all, variants};

fn small(overload: Overload) -> Scenario {
    Scenario { devices: 1500, admit: 10, overload, ..Arguments::default().scenario }
}

fn all() -> Vec<Variant> {
    let mut all = variants::jitters();
    all.extend(variants::alternatives());
    all
}

fn library() -> Variant {
    named(variants::jitters(), variants::LIBRARY)
}

fn named(variants: Vec<Variant>, name: &str) -> Variant {
    variants.into_iter().find(|variant| variant.name == name).unwrap()
}

#[test]
fn every_device_comes_back_and_the_broker_is_not_overrun() {
    for overload in [Overload::Refuse, Overload::Silent] {
        let scenario = small(overload);
        for variant in all() {
            let outcome = simulate(&scenario, &variant);
            let name = &variant.name;
            assert_eq!(outcome.back.last(), Some(&scenario.devices), "{name}");
            assert!(outcome.back.is_sorted(), "{name}");
            assert!(outcome.admitted.iter().all(|accepted| *accepted <= scenario.admit), "{name}");
            assert_eq!(outcome.admitted.iter().sum::<u32>(), scenario.devices, "{name}");
            let attempts: u32 = outcome.attempts.iter().sum();
            assert_eq!(outcome.arrivals.iter().sum::<u32>(), attempts, "{name}");
        }
    }
}

#[test]
fn an_attempt_costs_at_least_its_round_trips_and_all_of_them_at_most_their_tails() {
    for overload in [Overload::Refuse, Overload::Silent] {
        let scenario = small(overload);
        let longest = 10_000 + scenario.tail;
        for variant in all() {
            let outcome = simulate(&scenario, &variant);
            for (attempts, radio) in outcome.attempts.iter().zip(&outcome.radio) {
                assert!(*radio >= attempts * SHORTEST + scenario.tail, "{}: {radio} ms", variant.name);
                // The loss has a tail, too.
                assert!(*radio <= attempts * longest + scenario.tail, "{}: {radio} ms", variant.name);
            }
        }
    }
}

#[test]
fn overlapping_tails_are_counted_once() {
    let scenario = small(Overload::Refuse);
    let without = simulate(&Scenario { tail: 0, ..scenario }, &library());
    let outcome = simulate(&scenario, &library());
    assert_eq!(outcome.attempts, without.attempts, "the radio changes nothing else");
    let lived = 1000 * outcome.back.len() as u32 + scenario.tail;
    let mut shared = 0;
    for ((radio, bare), attempts) in outcome.radio.iter().zip(&without.radio).zip(&outcome.attempts) {
        let tails = radio - bare;
        assert!(tails <= (attempts + 1) * scenario.tail && *radio <= lived);
        shared += u32::from(tails < (attempts + 1) * scenario.tail);
    }
    assert_eq!(shared, scenario.devices, "the first retry comes before the tail of the loss is over");
}

#[test]
fn the_same_seed_gives_the_same_result_and_another_one_another() {
    let scenario = small(Overload::Refuse);
    let outcome = simulate(&scenario, &library());
    assert_eq!(outcome, simulate(&scenario, &library()));
    assert_ne!(outcome, simulate(&Scenario { seed: 2, ..scenario }, &library()));
}

#[test]
fn the_herd_comes_in_the_first_seconds_unless_the_loss_is_noticed_little_by_little() {
    let scenario = small(Overload::Refuse);
    let herd = simulate(&scenario, &library());
    let first: u32 = herd.arrivals[..2].iter().sum();
    assert!(first >= scenario.devices * 9 / 10, "full jitter over one second: {first}");
    let spread = simulate(&Scenario { notice: 60_000, ..scenario }, &library());
    let (spread, herd) = (Summary::of(&spread).peak, Summary::of(&herd).peak);
    assert!(spread * 5 < herd, "{spread}, {herd}");
}

#[test]
fn the_library_is_what_the_alternatives_say_it_is() {
    let scenario = small(Overload::Refuse);
    let spelled = simulate(&scenario, &named(variants::alternatives(), variants::SPELLED));
    assert_eq!(simulate(&scenario, &library()), spelled);
}

#[test]
fn what_was_adopted_beats_what_was_before() {
    for overload in [Overload::Refuse, Overload::Silent] {
        // As many seconds of overload as a million devices at 500 a second.
        let scenario = Scenario { devices: 8000, admit: 4, ..small(overload) };
        let rules = [variants::alternatives().swap_remove(0), library()];
        let [before, now] = rules.map(|rule| Summary::of(&simulate(&scenario, &rule)));
        assert!(now.back_99.unwrap() < before.back_99.unwrap(), "{overload:?}: {now:?}, {before:?}");
        assert!(now.attempts.mean < before.attempts.mean, "{overload:?}: {now:?}, {before:?}");
        assert!(now.radio.mean < before.radio.mean, "{overload:?}: {now:?}, {before:?}");
    }
}

#[test]
fn the_end_of_the_simulation_is_told() {
    let scenario = Scenario { end: 60_000, ..small(Overload::Refuse) };
    let outcome = simulate(&scenario, &library());
    let summary = Summary::of(&outcome);
    let share = summary.back_99.unwrap_err();
    assert!((0.3..=0.4).contains(&share), "600 of 1500, less the time when nobody came: {share}");
    assert!(summary.back(1).ends_with("% after 1 h"));
}

#[test]
fn a_drawing_has_a_line_a_variant_in_each_panel() {
    let scenario = small(Overload::Refuse);
    let jobs: Vec<_> = variants::jitters().into_iter().map(|variant| (scenario, variant)).collect();
    let svg = drawing(&run_all(&jobs), &scenario);
    assert_eq!(svg.matches("<polyline").count(), 3 * DRAWN.len());
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

fn error(words: &[&str]) -> String {
    parse(words.iter().map(|word| word.to_string())).unwrap_err()
}

#[test]
fn the_command_line_is_read_and_what_is_wrong_is_told() {
    let words = ["--devices", "7", "--admit=3", "--overload", "silent", "--tail", "0.5", "--svg", "a.svg"];
    let Ok(Request::Run(arguments)) = parse(words.map(str::to_owned)) else { panic!("it runs") };
    assert_eq!((arguments.scenario.devices, arguments.scenario.admit), (7, 3));
    assert_eq!((arguments.scenario.overload, arguments.scenario.tail), (Overload::Silent, 500));
    assert_eq!(arguments.svg, Some("a.svg".into()));
    assert!(matches!(parse(["--help".to_owned()]), Ok(Request::Help)));

    assert_eq!(error(&["--devices", "0"]), "--devices is a number from 1 to 10000000, not \"0\"");
    assert_eq!(error(&["--seed"]), "--seed needs a value");
    assert_eq!(error(&["--overload", "maybe"]), "--overload is refuse or silent, not \"maybe\"");
    assert_eq!(error(&["--help=1"]), "--help takes no value");
    assert!(error(&["fast"]).contains("--help"));
}

#[test]
fn numbers_are_grouped() {
    assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
}
