//! Callbacks that call back, and the end of a client from everywhere.

use crate::support::*;
use gecko_mqtt::{Client, Completion, ConnectionState, ErrorKind, Message, QoS, Subscription, Wait};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

type Slot = Arc<Mutex<Option<Client>>>;

/// Counts how often something is dropped.
struct Hook(Arc<AtomicUsize>);

impl Drop for Hook {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn waits_inside_a_callback_work_where_they_can() {
    let sim = Sim::generic();
    let client = Arc::new(connected(&sim.plain()));
    let results = Seen::default();
    let (inside, seen) = (Arc::downgrade(&client), results.clone());
    let subscription = Subscription { filter: "in", qos: QoS::AtLeastOnce, ..Subscription::default() };
    let listener = move |_: &Message<'_>, _| {
        let client = inside.upgrade().unwrap();
        seen.push(
            client.publish_wait(&message("out", b"", QoS::AtLeastOnce), WAIT).result.map_err(|e| e.kind()),
        );
        let subscription = Subscription { filter: "more", ..Subscription::default() };
        seen.push(client.subscribe_wait(&[subscription], None, WAIT).result.map_err(|e| e.kind()));
        seen.push(client.unsubscribe_wait("more", WAIT).result.map_err(|e| e.kind()));
        seen.push(client.connect(WAIT).map_err(|e| e.kind()));
        seen.push(client.disconnect(WAIT).map_err(|e| e.kind()));
    };
    client.subscribe_wait(&[subscription], Some((0, Box::new(listener))), WAIT).result.unwrap();
    client.publish(&message("in", b"", QoS::AtLeastOnce), Completion::None).unwrap();
    let would_deadlock = Err(ErrorKind::WouldDeadlock);
    assert_eq!(results.wait_for(5), [Ok(()), Ok(()), Ok(()), Ok(()), would_deadlock]);
}

#[test]
fn a_client_can_be_freed_inside_each_kind_of_callback() {
    for kind in ["message", "state", "completion"] {
        let sim = Sim::generic();
        let slot: Slot = Arc::default();
        let dropped = Arc::new(AtomicUsize::new(0));
        let new = client(&sim.plain());
        let free = {
            let (slot, hook) = (slot.clone(), Hook(dropped.clone()));
            move || {
                let _ = &hook;
                drop(slot.lock().unwrap().take());
            }
        };
        let ends = Seen::default();
        let trigger = message("t", b"", QoS::AtLeastOnce);
        match kind {
            "message" => {
                let subscription =
                    Subscription { filter: "t", qos: QoS::AtLeastOnce, ..Subscription::default() };
                new.subscribe(&[subscription], Some((0, Box::new(move |_, _| free()))), Completion::None)
                    .unwrap();
                new.publish(&trigger, Completion::None).unwrap();
            }
            "state" => {
                let freeing = move |state| {
                    if state == ConnectionState::Connected {
                        free();
                    }
                };
                new.on_connection_state_change(0, Box::new(freeing)).unwrap();
            }
            _ => new.publish(&trigger, Completion::Boxed(Box::new(move |_| free()))).unwrap(),
        }
        // Kept until the end: what a server does not acknowledge ends with the client.
        sim.on_publishes(9, gecko_iot_sim::PublishFault::DropAcknowledgement);
        if kind == "completion" {
            sim.on_publishes(0, gecko_iot_sim::PublishFault::DropAcknowledgement);
        }
        new.publish(&message("late", b"", QoS::AtLeastOnce), noted(&ends, |ack| ack.result.is_ok())).unwrap();
        let starter = slot.clone();
        *slot.lock().unwrap() = Some(new);
        starter.lock().unwrap().as_ref().unwrap().connect(Wait::For(Duration::ZERO)).unwrap();
        assert_eq!(ends.wait_for(1).len(), 1, "{kind}: the other operation ends too");
        while dropped.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(dropped.load(Ordering::SeqCst), 1, "{kind}");
        assert!(slot.lock().unwrap().is_none());
    }
}

#[test]
fn freeing_waits_for_the_running_callback_and_drops_every_listener_once() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    let dropped = Arc::new(AtomicUsize::new(0));
    let (entered, left) = (Seen::default(), Seen::default());
    let (hook, enter, leave) = (Hook(dropped.clone()), entered.clone(), left.clone());
    let go = Arc::new(OnceLock::<()>::new());
    let wait = go.clone();
    let listener = move |_: &Message<'_>, _| {
        let _ = &hook;
        enter.push(());
        wait.wait();
        leave.push(());
    };
    let subscription = Subscription { filter: "f", ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, Box::new(listener))), WAIT).result.unwrap();
    let hook = Hook(dropped.clone());
    client
        .on_connection_state_change(
            1,
            Box::new(move |_| {
                let _ = &hook;
            }),
        )
        .unwrap();
    client.publish(&message("f", b"", QoS::AtMostOnce), Completion::None).unwrap();
    entered.wait_for(1);
    let freeing = std::thread::spawn(move || drop(client));
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    go.set(()).unwrap();
    freeing.join().unwrap();
    assert_eq!((left.all().len(), dropped.load(Ordering::SeqCst)), (1, 2));
}

#[test]
fn one_client_s_blocked_callbacks_do_not_hold_up_another_s() {
    let sim = Sim::generic();
    let go = Arc::new(OnceLock::<()>::new());
    let blocked: Vec<Client> = (0..5)
        .map(|_| {
            let client = connected(&sim.plain());
            let (entered, wait) = (Seen::default(), go.clone());
            let enter = entered.clone();
            let subscription = Subscription { filter: "b", ..Subscription::default() };
            let listener = move |_: &Message<'_>, _| {
                enter.push(());
                wait.wait();
            };
            client.subscribe_wait(&[subscription], Some((0, Box::new(listener))), WAIT).result.unwrap();
            client.publish(&message("b", b"", QoS::AtMostOnce), Completion::None).unwrap();
            entered.wait_for(1);
            client
        })
        .collect();
    let free = connected(&sim.plain());
    let seen = subscribed(&free, "free", QoS::AtMostOnce);
    free.publish(&message("free", b"", QoS::AtMostOnce), Completion::None).unwrap();
    seen.wait_for(1);
    go.set(()).unwrap();
    drop(blocked);
}

#[test]
fn a_removed_listener_is_not_called_again() {
    let sim = Sim::generic();
    let client = Arc::new(connected(&sim.plain()));
    let seen = Seen::default();
    let (inside, calls) = (Arc::downgrade(&client), seen.clone());
    let listener = move |message: &Message<'_>, _| {
        calls.push(message.payload.to_owned());
        inside.upgrade().unwrap().remove_listeners(77).unwrap();
    };
    client.on_message(77, Box::new(listener)).unwrap();
    let others = Seen::default();
    client.on_message(78, collector(&others)).unwrap();
    let subscription = Subscription { filter: "r", ..Subscription::default() };
    client.subscribe_wait(&[subscription], None, WAIT).result.unwrap();
    for n in 0..10 {
        client.publish(&message("r", &[n], QoS::AtMostOnce), Completion::None).unwrap();
    }
    others.wait_for(10);
    assert_eq!(seen.all(), [[0]]);
    assert_eq!(kind(client.remove_listeners(77)), ErrorKind::NotFound);
}

#[test]
fn states_come_in_order_and_never_twice() {
    let sim = Sim::generic();
    let client = client(&sim.plain());
    let states = states(&client);
    for _ in 0..2 {
        client.connect(WAIT).unwrap();
        client.connect(WAIT).unwrap();
        client.disconnect(WAIT).unwrap();
        client.disconnect(WAIT).unwrap();
    }
    use ConnectionState as S;
    let once = [S::Connecting, S::Connected, S::Disconnecting, S::Disconnected];
    assert_eq!(states.wait_for(8), [once, once].concat());
}

#[test]
fn what_was_accepted_goes_out_before_the_farewell() {
    let sim = Sim::generic();
    let client = connected(&sim.plain());
    for n in 0..200u8 {
        client.publish(&message("last", &[n], QoS::AtLeastOnce), Completion::None).unwrap();
    }
    client.disconnect(WAIT).unwrap();
    assert_eq!(sim.publishes().len(), 200);
    sim.wait_until("the farewell", |sim| sim.ends().iter().any(|end| end.received == Some(0)));
}

#[test]
fn what_has_come_is_heard_and_acknowledged_before_the_farewell() {
    let sim = Sim::generic();
    let mut options = sim.plain();
    options.set_clean_start(false).unwrap();
    let client = connected(&options);
    let (entered, heard) = (Seen::default(), Seen::default());
    let (enter, hear) = (entered.clone(), heard.clone());
    let go = Arc::new(OnceLock::<()>::new());
    let wait = go.clone();
    let listener = move |message: &Message<'_>, _| {
        enter.push(());
        wait.wait();
        hear.push(message.payload.to_owned());
    };
    let subscription = Subscription { filter: "in", qos: QoS::AtLeastOnce, ..Subscription::default() };
    client.subscribe_wait(&[subscription], Some((0, Box::new(listener))), WAIT).result.unwrap();
    for n in 0..5 {
        client.publish_wait(&message("in", &[n], QoS::AtLeastOnce), WAIT).result.unwrap();
    }
    entered.wait_for(1);
    until("all have come", || client.stats().messages_received == 5);

    let late = client.disconnect(Wait::For(Duration::from_millis(50))).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert!(late.to_string().contains("still wait for their callbacks"), "{late}");
    assert!(heard.all().is_empty());

    // The server sends again what was not acknowledged.
    client.connect(WAIT).unwrap();
    until("all have come again", || client.stats().messages_received == 10);
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| client.disconnect(WAIT));
        go.set(()).unwrap();
        leaving.join().unwrap().unwrap();
    });
    assert_eq!(heard.all().concat(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    client.connect(WAIT).unwrap();
    client.publish_wait(&message("in", &[9], QoS::AtLeastOnce), WAIT).result.unwrap();
    assert_eq!(heard.wait_for(11)[10], [9], "nothing comes a third time");
}

/// Who disconnects may be the one that dispatches.
#[test]
fn callbacks_that_only_the_application_runs_are_not_waited_for() {
    let sim = Sim::generic();
    let mut options = sim.plain();
    options.set_dispatch(gecko_mqtt::DispatchMode::App).unwrap();
    let client = connected(&options);
    let seen = subscribed(&client, "in", QoS::AtLeastOnce);
    client.publish_wait(&message("in", b"", QoS::AtLeastOnce), WAIT).result.unwrap();
    until("it has come", || client.stats().messages_received == 1);
    client.disconnect(WAIT).unwrap();
    assert!(seen.all().is_empty());
    client.dispatcher().dispatch(Wait::For(Duration::ZERO)).unwrap();
    assert_eq!(seen.all().len(), 1);
}

#[test]
fn subscriptions_and_handlers_outlive_a_disconnect() {
    let sim = Sim::generic();
    for clean_start in [true, false] {
        let mut options = sim.plain();
        options.set_clean_start(clean_start).unwrap();
        let client = connected(&options);
        let seen = subscribed(&client, "again", QoS::AtLeastOnce);
        client.disconnect(WAIT).unwrap();
        client.connect(WAIT).unwrap();
        client.publish(&message("again", b"", QoS::AtLeastOnce), Completion::None).unwrap();
        seen.wait_for(1);
    }
}

#[test]
fn many_clients_share_few_threads() {
    let sim = Sim::generic();
    let clients: Vec<Client> = (0..50).map(|_| connected(&sim.plain())).collect();
    let seen: Vec<_> = clients.iter().map(|client| subscribed(client, "all", QoS::AtLeastOnce)).collect();
    clients[0].publish(&message("all", b"", QoS::AtLeastOnce), Completion::None).unwrap();
    seen.iter().for_each(|seen| drop(seen.wait_for(1)));
}
