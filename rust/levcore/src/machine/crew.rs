//! Threads that help a calling one: it begins at once, and they take part in what is left when they come.
//!
//! The calling thread never waits for one that has not come yet: to wake a thread takes longer than to evaluate some thousand rows. A helper
//! that has just helped looks out for more for a moment before it goes to sleep, so that calls that follow one another find it awake.

use std::any::Any;
use std::hint::spin_loop;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// How often a thread looks before it sleeps. With the pause between two looks that is some tens of microseconds, about what it takes to wake
/// it; no clock is asked.
const LOOKS: usize = 2_000;

/// Work that each thread which takes part in calls once: it does what is left, until nothing is.
type Work<'a> = &'a (dyn Fn() + Sync);

/// Work on the stack of the thread that posted it.
struct Job<'a> {
    work: Work<'a>,
    /// Helpers that take part at the moment. To count itself out is the last thing that a helper does with a job.
    helpers: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Job<'_> {
    /// Takes part; a panic is kept for the thread that posted the job.
    fn help(&self) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(self.work)) {
            held(&self.panic).get_or_insert(panic);
        }
    }
}

/// A job that helpers may still join.
struct Posted {
    job: *const Job<'static>,
    places: usize,
}

// SAFETY: a job is shared: its work is `Sync`, all else of it atomic or locked. That it lives long enough is shown at `Crew::share`.
#[allow(unsafe_code, reason = "a pointer to what threads may share")]
unsafe impl Send for Posted {}

/// What the crew knows, under one lock.
#[derive(Default)]
struct Board {
    posted: Vec<Posted>,
    threads: usize,
}

/// The helpers of a process, started when they are first needed.
pub(crate) struct Crew {
    board: Mutex<Board>,
    /// Something was posted.
    more: Condvar,
    /// A helper has left a job.
    left: Condvar,
    /// Changes with everything that is posted.
    news: AtomicUsize,
    /// Threads that are within a job or look out for one.
    awake: AtomicUsize,
    cores: usize,
}

impl Crew {
    pub(crate) fn new() -> Self {
        Self {
            board: Mutex::default(),
            more: Condvar::new(),
            left: Condvar::new(),
            news: AtomicUsize::new(0),
            awake: AtomicUsize::new(0),
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Starts helpers until there are so many.
    ///
    /// # Errors
    ///
    /// Where the operating system refuses; those that it has started stay.
    pub(crate) fn start(&'static self, helpers: usize) -> std::io::Result<()> {
        let mut board = held(&self.board);
        while board.threads < helpers {
            Builder::new().name(format!("levcore-{}", board.threads)).spawn(|| self.serve())?;
            board.threads += 1;
        }
        Ok(())
    }

    /// Does `work` on the calling thread, and on up to `helpers` others at the same time that come before it has returned there.
    ///
    /// # Panics
    ///
    /// As `work` does, on whichever thread.
    #[allow(unsafe_code, reason = "helpers borrow from a stack that outlives their use of it, see below")]
    pub(crate) fn share(&self, helpers: usize, work: Work<'_>) {
        let job = Job { work, helpers: AtomicUsize::new(0), panic: Mutex::default() };
        // SAFETY: only the lifetime changes. A helper reaches the job through the board alone, and counts itself in under the lock of the board;
        // `Taken` is dropped before the job on every way out of this function, panics included, takes the job off the board under the
        // same lock, and waits until all who had counted themselves in have counted themselves out, which is the last they do with it.
        let job_of_all: *const Job<'static> = unsafe { std::mem::transmute::<*const Job<'_>, _>(&raw const job) };
        self.awake.fetch_add(1, Ordering::Relaxed);
        held(&self.board).posted.push(Posted { job: job_of_all, places: helpers });
        self.news.fetch_add(1, Ordering::Release);
        for _ in 0..helpers {
            self.more.notify_one();
        }
        let taken = Taken { crew: self, job: &job, place: job_of_all };
        work();
        drop(taken);
        if let Some(panic) = held(&job.panic).take() {
            resume_unwind(panic);
        }
    }

    /// What a helper does as long as the process lives.
    fn serve(&self) {
        loop {
            let job = self.join();
            self.awake.fetch_add(1, Ordering::Relaxed);
            self.help(job);
            self.look_out();
            self.awake.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Sleeps until there is a job to join, and counts itself in.
    #[allow(unsafe_code, reason = "the job is on the board")]
    fn join(&self) -> *const Job<'static> {
        let mut board = held(&self.board);
        loop {
            if let Some(posted) = board.posted.iter_mut().find(|posted| posted.places > 0) {
                posted.places -= 1;
                // SAFETY: what is on the board, whose lock is held, lives.
                unsafe { &*posted.job }.helpers.fetch_add(1, Ordering::Relaxed);
                return posted.job;
            }
            board = self.more.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes part in a job that it has joined, and counts itself out.
    #[allow(unsafe_code, reason = "the job waits for those that have joined it")]
    fn help(&self, job: *const Job<'static>) {
        // SAFETY: this helper is counted in, so that the job lives until the last line here that uses it.
        let job = unsafe { &*job };
        job.help();
        // Under the lock: the one who waits is either told or has not looked yet.
        let board = held(&self.board);
        job.helpers.fetch_sub(1, Ordering::Release);
        drop(board);
        self.left.notify_all();
    }

    /// Looks out for news for a moment, unless every core has a thread without this one.
    fn look_out(&self) {
        let seen = self.news.load(Ordering::Acquire);
        if self.awake.load(Ordering::Relaxed) <= self.cores {
            look_until(|| self.news.load(Ordering::Acquire) != seen);
        }
    }
}

/// A job on the board; dropped, it is off the board and nobody uses it any more.
struct Taken<'a> {
    crew: &'a Crew,
    job: &'a Job<'a>,
    place: *const Job<'static>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        held(&self.crew.board).posted.retain(|posted| !std::ptr::eq(posted.job, self.place));
        let all_have_left = || self.job.helpers.load(Ordering::Acquire) == 0;
        look_until(all_have_left);
        let mut board = held(&self.crew.board);
        while !all_have_left() {
            board = self.crew.left.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
        drop(board);
        self.crew.awake.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for a moment until something is so.
fn look_until(is_so: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        spin_loop();
    }
}

/// The lock, whoever panicked with it: what it guards is valid at any time.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crew(helpers: usize) -> &'static Crew {
        let crew = Box::leak(Box::new(Crew::new()));
        crew.start(helpers).unwrap();
        crew
    }

    #[test]
    fn everything_is_done_once_however_many_come() {
        let crew = crew(3);
        for _ in 0..2_000 {
            let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            crew.share(3, &|| {
                while next.fetch_add(1, Ordering::Relaxed) < 20 {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
            assert_eq!(done.into_inner(), 20);
        }
    }

    #[test]
    fn callers_at_the_same_time_and_within_work_share_the_helpers() {
        let crew = crew(2);
        let calls = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        crew.share(2, &|| {
                            crew.share(2, &|| {
                                calls.fetch_add(1, Ordering::Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert!(calls.into_inner() >= 800);
        assert!(held(&crew.board).posted.is_empty());
    }

    #[test]
    fn a_helper_is_not_waited_for_unless_it_has_come() {
        // Nobody was started.
        let (crew, calls) = (crew(0), AtomicUsize::new(0));
        crew.share(5, &|| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(calls.into_inner(), 1);
    }

    #[test]
    fn helpers_that_come_take_part_and_sleep_again() {
        let crew = crew(1);
        let both = std::sync::Barrier::new(2);
        crew.share(1, &|| {
            both.wait();
        });
        while crew.awake.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_panic_comes_back_from_any_thread_and_the_crew_goes_on() {
        let crew = crew(1);
        let caller = std::thread::current().id();
        for by_caller in [true, false] {
            let both = std::sync::Barrier::new(2);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                crew.share(1, &|| {
                    both.wait();
                    assert_ne!(std::thread::current().id() == caller, by_caller, "asked for");
                });
            }));
            assert!(panicked.is_err());
            assert!(held(&crew.board).posted.is_empty());
        }
        let both = std::sync::Barrier::new(2);
        crew.share(1, &|| {
            both.wait();
        });
    }
}
