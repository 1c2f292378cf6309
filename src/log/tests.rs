use super::*;
use std::sync::MutexGuard;

/// Logging is the process's, so these tests take turns; each leaves it as it was.
fn alone() -> impl Drop {
    struct Alone(#[allow(dead_code)] MutexGuard<'static, ()>);
    impl Drop for Alone {
        fn drop(&mut self) {
            change(|_| Ok(Outputs::default())).unwrap();
        }
    }
    static ALONE: Mutex<()> = Mutex::new(());
    Alone(lock(&ALONE))
}

/// Only these tests log there: others run at the same time.
const HERE: &str = "off,gecko_mqtt::log=info";

/// A logger that keeps what it is told.
fn keeping() -> (Logger, Arc<Mutex<Vec<String>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    (Arc::new(move |record: &Record| lock(&keep).push(record.text())), kept)
}

#[test]
fn a_level_needs_an_output() {
    let _alone = alone();
    assert_eq!(set_level("debug").unwrap_err().kind(), ErrorKind::InvalidConfiguration);
    init("info", None, false).unwrap();
    set_level("debug").unwrap();
    assert_eq!(set_level("loud").unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_changes_nothing() {
    let _alone = alone();
    let (logger, kept) = keeping();
    set_callback(HERE, logger).unwrap();
    let error = init("info", Some("/nonexistent/log"), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.message().contains("'/nonexistent/log'"), "{error}");
    tracing::info!("said");
    assert_eq!(*lock(&kept), ["said"]);
}

#[test]
fn outputs_have_levels_of_their_own_until_one_is_set_for_all() {
    let _alone = alone();
    let (logger, kept) = keeping();
    let path = std::env::temp_dir().join(format!("gecko-mqtt-levels-{}", std::process::id()));
    init_json("off,gecko_mqtt::log=warn", path.to_str(), false).unwrap();
    set_callback("off,gecko_mqtt::log=info,gecko_mqtt::log::part=debug", logger).unwrap();
    tracing::debug!("too little");
    tracing::info!(target: "gecko_mqtt::log::part", "for the callback");
    tracing::debug!(target: "gecko_mqtt::log::part", "for the callback");
    tracing::warn!("for both");
    tracing::error!(target: "rustls", "of another crate");
    set_level("off").unwrap();
    assert_eq!(LevelFilter::current(), LevelFilter::OFF);
    tracing::error!("for nobody");
    set_level("off,gecko_mqtt::log=trace").unwrap();
    tracing::trace!(
        reason_code = 135u8,
        nothing = None::<u8>,
        ok = true,
        delta = -1,
        text = "two words",
        "said"
    );
    remove_callback().unwrap();
    tracing::error!("for the file");
    let expected = [
        "for the callback",
        "for the callback",
        "for both",
        "said reason_code=135 ok=true delta=-1 text=\"two words\"",
    ];
    assert_eq!(*lock(&kept), expected);
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let lines: Vec<_> = file.lines().map(read).collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["for both", "said", "for the file"]);
    assert_eq!(lines[1]["reason_code"], 135);
    assert_eq!(lines[1]["target"], "gecko_mqtt::log::tests");
}

#[test]
fn a_client_s_lines_carry_its_name() {
    let _alone = alone();
    let (logger, kept) = keeping();
    set_callback(HERE, logger).unwrap();
    let origin = Origin::new("spa-42".to_owned());
    origin.next_connection();
    origin.scope(|| tracing::info!(more = 1, "said"));
    tracing::info!("said");
    assert_eq!(*lock(&kept), ["said client_id=spa-42 connection=1 more=1", "said"]);
}

#[test]
fn rotation_has_its_bounds() {
    let _alone = alone();
    for (max_bytes, keep, good) in
        [(0, 0, true), (16_384, 1000, true), (16_383, 1, false), (1, 1, false), (0, 1001, false)]
    {
        let set = set_rotation(Rotation { max_bytes, interval_secs: 0, keep });
        let kind = set.map_err(|error| error.kind());
        assert_eq!(kind, if good { Ok(()) } else { Err(ErrorKind::OutOfRange) }, "{max_bytes} {keep}");
    }
}
