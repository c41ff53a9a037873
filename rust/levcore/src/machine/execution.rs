//! How a call is carried out: instruction set, threads, and whether somebody wants it to end.

use std::sync::Mutex;

use crate::error::{Error, Result};
use crate::machine::crew::held;
use crate::machine::instruction_set::InstructionSet;
use crate::machine::threads;

/// What a call runs on. No result depends on it.
pub struct Execution<'a> {
    /// Instruction set of the kernels.
    pub set: InstructionSet,
    /// Threads; a call with little to do takes fewer.
    pub threads: usize,
    /// Asked now and then, from the calling thread, whether to stop.
    pub interrupted: &'a mut dyn FnMut() -> bool,
}

impl Execution<'_> {
    /// Does tasks on the threads; what they result in, in the order of the tasks.
    ///
    /// A thread does `batch` tasks between two looks at the interrupt, with memory of its own that `remember` makes.
    pub(crate) fn run<Task: Send, Memory, Done: Send>(
        &mut self,
        tasks: Vec<Task>,
        batch: usize,
        remember: impl Fn() -> Memory + Sync + Send,
        work: impl Fn(&mut Memory, Task) -> Done + Sync + Send,
    ) -> Result<Vec<Done>> {
        let threads = self.threads.clamp(1, tasks.len().max(1));
        let mut done = Vec::with_capacity(tasks.len());
        let mut tasks = tasks.into_iter();
        loop {
            let some: Vec<Task> = tasks.by_ref().take(batch * threads).collect();
            if threads == 1 {
                let mut memory = remember();
                done.extend(some.into_iter().map(|task| work(&mut memory, task)));
            } else {
                done.append(&mut shared(threads, some, &remember, &work)?);
            }
            if tasks.len() == 0 {
                return Ok(done);
            }
            if (self.interrupted)() {
                return Err(Error::Interrupted);
            }
        }
    }
}

/// Does tasks on several threads, each of which takes the next one when it has done one; what they result in, in the order of the tasks.
fn shared<Task: Send, Memory, Done: Send>(
    threads: usize,
    tasks: Vec<Task>,
    remember: &(impl Fn() -> Memory + Sync),
    work: &(impl Fn(&mut Memory, Task) -> Done + Sync),
) -> Result<Vec<Done>> {
    let done = Mutex::new(Vec::with_capacity(tasks.len()));
    let left = Mutex::new(tasks.into_iter().enumerate());
    // A lock of its own for each task: in the condition of a loop it would be held through its body.
    let next = || held(&left).next();
    threads::share(threads, &|| {
        // Whoever comes too late makes no memory.
        let (mut memory, mut own) = (None, Vec::new());
        while let Some((place, task)) = next() {
            own.push((place, work(memory.get_or_insert_with(remember), task)));
        }
        held(&done).append(&mut own);
    })?;
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|&(place, _)| place);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}
