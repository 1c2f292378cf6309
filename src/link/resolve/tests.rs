//! Tests of the resolver, with a lookup that waits until it is told what to find.

use super::*;
use std::collections::HashMap;
use std::sync::{Arc, Condvar};

/// An address, or a reason why there is none.
type Scripted = Result<&'static str, &'static str>;

/// Lookups by host and turn, each of which blocks until its answer is set.
#[derive(Default)]
struct Script {
    turns: Mutex<HashMap<String, u32>>,
    answers: Mutex<HashMap<(String, u32), Scripted>>,
    began: Condvar,
    answered: Condvar,
}

impl Script {
    fn resolver() -> (Arc<Self>, &'static Resolver) {
        let script = Arc::new(Self::default());
        let lookup = {
            let script = script.clone();
            move |host: &str| script.lookup(host)
        };
        (script, Box::leak(Box::new(Resolver::new(Box::leak(Box::new(lookup))))))
    }

    fn lookup(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap();
            let turn = turns.entry(host.to_owned()).or_default();
            *turn += 1;
            self.began.notify_all();
            *turn
        };
        let key = (host.to_owned(), turn);
        let mut answers = self.answers.lock().unwrap();
        loop {
            match answers.get(&key) {
                Some(Ok(address)) => return Ok(vec![SocketAddr::new(address.parse().unwrap(), 0)]),
                Some(Err(reason)) => return Err(io::Error::other(*reason)),
                None => answers = self.answered.wait(answers).unwrap(),
            }
        }
    }

    /// Waits until the lookup of that turn has begun, so that turns are what the test means by them.
    fn begun(&self, host: &str, turn: u32) {
        let turns = self.turns.lock().unwrap();
        drop(self.began.wait_while(turns, |turns| turns.get(host).copied().unwrap_or(0) < turn).unwrap());
    }

    fn answer(&self, host: &str, turn: u32, answer: Scripted) {
        self.answers.lock().unwrap().insert((host.to_owned(), turn), answer);
        self.answered.notify_all();
    }
}

fn found(answer: Result<Answer, oneshot::error::RecvError>) -> String {
    answer.unwrap().map_or_else(|reason| reason, |addresses| addresses[0].ip().to_string())
}

#[tokio::test]
async fn identical_lookups_share_a_thread() {
    let (script, resolver) = Script::resolver();
    let mut first = resolver.ask("a").unwrap();
    let mut second = resolver.ask("a").unwrap();
    let mut other = resolver.ask("b").unwrap();
    assert_eq!(resolver.state().running.len(), 2);
    script.answer("b", 1, Ok("192.0.2.2"));
    script.answer("a", 1, Ok("192.0.2.1"));
    assert_eq!(found((&mut first.answer).await), "192.0.2.1");
    assert_eq!(found((&mut second.answer).await), "192.0.2.1");
    assert_eq!(found((&mut other.answer).await), "192.0.2.2");
}

#[tokio::test]
async fn whoever_goes_away_leaves_nothing_behind() {
    let (script, resolver) = Script::resolver();
    let asked = resolver.ask("a").unwrap();
    assert_eq!(resolver.state().waiting.len(), 1);
    drop(asked);
    assert_eq!(resolver.state().waiting.len(), 0);
    // The thread goes on, and a later asker is answered by it.
    let mut asked = resolver.ask("a").unwrap();
    assert_eq!(resolver.state().running.len(), 1);
    script.answer("a", 1, Ok("192.0.2.1"));
    assert_eq!(found((&mut asked.answer).await), "192.0.2.1");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_hangs_is_not_joined_and_its_askers_profit_from_the_next() {
    let (script, resolver) = Script::resolver();
    let mut early = resolver.ask("a").unwrap();
    script.begun("a", 1);
    tokio::time::advance(FRESH).await;
    let mut late = resolver.ask("a").unwrap();
    script.begun("a", 2);
    assert_eq!(resolver.state().running.len(), 2);
    script.answer("a", 2, Ok("192.0.2.1"));
    assert_eq!(found((&mut late.answer).await), "192.0.2.1");
    assert_eq!(found((&mut early.answer).await), "192.0.2.1");
    script.answer("a", 1, Err("too late"));
}

#[tokio::test(start_paused = true)]
async fn an_old_failure_does_not_spoil_a_younger_lookup() {
    let (script, resolver) = Script::resolver();
    let mut early = resolver.ask("a").unwrap();
    script.begun("a", 1);
    tokio::time::advance(FRESH).await;
    let mut late = resolver.ask("a").unwrap();
    script.begun("a", 2);
    script.answer("a", 1, Err("no answer from the name server"));
    assert_eq!(found((&mut early.answer).await), "no answer from the name server");
    assert!(late.answer.try_recv().is_err());
    script.answer("a", 2, Ok("192.0.2.1"));
    assert_eq!(found((&mut late.answer).await), "192.0.2.1");
}

#[tokio::test(start_paused = true)]
async fn the_number_of_threads_is_bounded() {
    let (script, resolver) = Script::resolver();
    let mut asked = Vec::new();
    for _ in 0..2 * MAX_SAME {
        asked.push(resolver.ask("same").unwrap());
        tokio::time::advance(FRESH).await;
    }
    assert_eq!(resolver.state().running.len(), MAX_SAME);
    for number in MAX_SAME..MAX_LOOKUPS {
        asked.push(resolver.ask(&format!("name-{number}")).unwrap());
    }
    let error = resolver.ask("one.more").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Dns);
    assert!(error.message().contains("'one.more': the system's resolver is busy with 16 other"), "{error}");
    // What is already looked up can still be joined.
    drop(resolver.ask("name-5").unwrap());
    for turn in 1..=MAX_SAME as u32 {
        script.answer("same", turn, Ok("192.0.2.1"));
    }
    assert_eq!(found((&mut asked[0].answer).await), "192.0.2.1");
    for number in MAX_SAME..MAX_LOOKUPS {
        script.answer(&format!("name-{number}"), 1, Err("end"));
    }
}

#[tokio::test]
async fn reaping_joins_the_finished_and_does_not_wait_for_the_stuck() {
    let (script, resolver) = Script::resolver();
    let mut done = resolver.ask("done").unwrap();
    script.answer("done", 1, Ok("192.0.2.1"));
    assert_eq!(found((&mut done.answer).await), "192.0.2.1");
    drop(resolver.ask("stuck").unwrap());
    resolver.reap();
    {
        let state = resolver.state();
        assert_eq!(state.threads.len(), 0);
        assert_eq!(state.running.len(), 1);
        assert_eq!(state.waiting.capacity(), 0);
    }
    // Later on the stuck one vanishes by itself, or serves whoever asks meanwhile.
    let mut asked = resolver.ask("stuck").unwrap();
    script.answer("stuck", 1, Ok("192.0.2.9"));
    assert_eq!(found((&mut asked.answer).await), "192.0.2.9");
    assert_eq!(resolver.state().running.capacity(), 0);
}

#[tokio::test]
async fn failures_have_the_name_and_the_reason() {
    for (lookup, text) in [
        (
            &(|_: &str| Err(io::Error::other("failed to lookup address information: Name not known")))
                as &Lookup,
            "cannot resolve the name 'a.example': Name not known",
        ),
        (&|_: &str| Ok(Vec::new()), "cannot resolve the name 'a.example': it has no address"),
        (&|_: &str| panic!("a defect"), "cannot resolve the name 'a.example': the lookup panicked"),
    ] {
        let resolver: &'static Resolver = Box::leak(Box::new(Resolver::new(lookup)));
        let error = resolver.resolve("a.example").await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Dns, text));
        resolver.reap();
    }
}

#[tokio::test]
async fn the_system_resolves() {
    let local = resolve("localhost", 8883).await.unwrap();
    assert!(local.iter().all(|address| address.ip().is_loopback() && address.port() == 8883));
    assert_eq!(resolve("192.0.2.1", 443).await.unwrap(), ["192.0.2.1:443".parse().unwrap()]);
    assert_eq!(resolve("2001:db8::1", 443).await.unwrap(), ["[2001:db8::1]:443".parse().unwrap()]);
}
