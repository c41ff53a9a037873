//! Threads of our own: sized a call, safe after a fork.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};
use crate::machine::crew::Crew;
use crate::machine::environment::setting;

/// Largest number of threads a call may ask for.
pub const MAX_THREADS: usize = 256;

/// Pools of one process, by number of threads, and the helpers of its calling threads.
struct Pools {
    process: u32,
    crew: Crew,
    by_threads: Vec<OnceLock<ThreadPool>>,
}

static POOLS: AtomicPtr<Pools> = AtomicPtr::new(std::ptr::null_mut());

/// The pools of this process. A forked child inherits the pointer but not the threads behind it, so it makes pools of its own;
/// there is no lock that the parent could have held at the moment of the fork.
#[allow(unsafe_code, reason = "reads a pointer that is null or leaked, never freed")]
fn pools() -> &'static Pools {
    let process = std::process::id();
    let current = POOLS.load(Ordering::Acquire);
    // SAFETY: the pointer is null or comes from `Box::into_raw` below and is never freed, so it is valid for 'static.
    if let Some(pools) = unsafe { current.as_ref() }
        && pools.process == process
    {
        return pools;
    }
    let by_threads = (0..=MAX_THREADS).map(|_| OnceLock::new()).collect();
    let fresh = Box::into_raw(Box::new(Pools { process, crew: Crew::new(), by_threads }));
    match POOLS.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: as above; a lost race leaks one small vector of empty cells, and a crew without threads.
        Ok(_) => unsafe { &*fresh },
        Err(_) => pools(),
    }
}

/// Runs `work` on a pool of `threads` threads.
///
/// # Errors
///
/// [`Error::Threads`] if the operating system refuses to start them, [`Error::Domain`] for more than [`MAX_THREADS`].
pub(crate) fn with_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let Some(cell) = pools().by_threads.get(threads) else { return Err(too_many(threads)) };
    if let Some(pool) = cell.get() {
        return Ok(pool.install(work));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("levcore-{index}"))
        .build()
        .map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
    Ok(cell.get_or_init(|| pool).install(work))
}

/// Does `work` on the calling thread, and at the same time on up to `threads - 1` others that come before it has returned there: it does
/// what is left, until nothing is.
///
/// # Errors
///
/// As [`with_pool`].
pub(crate) fn share(threads: usize, work: &(dyn Fn() + Sync)) -> Result<()> {
    if threads > MAX_THREADS {
        return Err(too_many(threads));
    }
    let (crew, helpers) = (&pools().crew, threads.saturating_sub(1));
    crew.start(helpers).map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
    crew.share(helpers, work);
    Ok(())
}

fn too_many(threads: usize) -> Error {
    Error::Domain { argument: "threads", expected: "at most 256", found: threads as f64 }
}

/// Threads used when a call does not say: `LEVCORE_NUM_THREADS`, else what the machine, its affinity and its quota allow.
///
/// # Errors
///
/// [`Error::Environment`] if the variable does not hold a number from 1 to [`MAX_THREADS`].
pub fn default_threads() -> Result<usize> {
    let number = |text: &str| text.parse().ok().filter(|threads| (1..=MAX_THREADS).contains(threads));
    let said = setting("LEVCORE_NUM_THREADS", "a whole number from 1 to 256", number)?;
    Ok(said.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS)))
}
