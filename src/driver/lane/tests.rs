use super::*;
use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, mpsc};
use std::task::Wake;
use std::thread;

/// Wakes the thread that stands for the I/O thread.
struct Telling(mpsc::Sender<()>);

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

/// Takes out of a queue whatever is in it, whoever polls it, until it has had so many.
fn work(queue: &Arc<Mutex<VecDeque<usize>>>, wanted: usize) -> (Lane, Arc<AtomicUsize>) {
    let (queue, done) = (queue.clone(), Arc::new(AtomicUsize::new(0)));
    let count = done.clone();
    let lane = Lane::new(std::future::poll_fn(move |_| {
        while let Some(number) = queue.lock().unwrap().pop_front() {
            assert_eq!(number, count.fetch_add(1, Ordering::SeqCst), "in order");
        }
        if count.load(Ordering::SeqCst) == wanted { Poll::Ready(()) } else { Poll::Pending }
    }));
    (lane, done)
}

fn open() -> Express {
    let express = Express::default();
    express.open.store(true, Ordering::SeqCst);
    express
}

#[test]
fn a_thread_that_publishes_does_the_work_where_it_may() {
    let queue = Arc::new(Mutex::new(VecDeque::from([0])));
    let (lane, done) = work(&queue, usize::MAX);
    assert!(!lane.write(&Express::default()), "it is not open");
    assert_eq!(done.load(Ordering::SeqCst), 0);
    assert!(lane.write(&open()));
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[test]
fn it_never_waits_for_another_one() {
    let (lane, _) = work(&Arc::default(), usize::MAX);
    let held = lane.task.lock().unwrap();
    assert!(!lane.write(&open()));
    assert!(lane.poll(&mut Context::from_waker(Waker::noop())).is_pending(), "nor does the I/O thread");
    assert!(lane.missed.load(Ordering::SeqCst), "which is to come again");
    drop(held);
}

#[test]
fn the_io_thread_that_came_meanwhile_is_called_again() {
    let (lane, done) = work(&Arc::new(Mutex::new(VecDeque::from([0]))), usize::MAX);
    let (tell, told) = mpsc::channel();
    let waker = Waker::from(Arc::new(Telling(tell)));
    assert!(lane.poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(done.load(Ordering::SeqCst), 1);
    lane.missed.store(true, Ordering::SeqCst);
    assert!(lane.write(&open()));
    told.try_recv().unwrap();
}

#[test]
fn what_has_ended_is_polled_no_more() {
    let (lane, _) = work(&Arc::new(Mutex::new(VecDeque::from([0]))), 1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(lane.poll(&mut cx).is_ready());
    assert!(lane.write(&open()));
    assert!(lane.poll(&mut cx).is_ready());
}

/// Every message is taken out, though each of the threads looks only once and goes away where another one is there.
#[test]
fn nothing_is_left_behind_between_two_threads() {
    const EACH: usize = 20_000;
    const THREADS: usize = 3;
    let queue = Arc::new(Mutex::new(VecDeque::new()));
    let (lane, done) = work(&queue, EACH * THREADS);
    let (tell, told) = mpsc::channel();
    let waker = Waker::from(Arc::new(Telling(tell)));
    let (express, next) = (open(), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    {
                        let mut next = next.lock().unwrap();
                        queue.lock().unwrap().push_back(*next);
                        *next += 1;
                    }
                    if !lane.write(&express) {
                        waker.wake_by_ref();
                    }
                }
                waker.wake_by_ref();
            });
        }
        let mut cx = Context::from_waker(&waker);
        while lane.poll(&mut cx).is_pending() && done.load(Ordering::SeqCst) < EACH * THREADS {
            told.recv_timeout(Duration::from_secs(60)).expect("a message is left, and nobody was told");
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), EACH * THREADS);
}
