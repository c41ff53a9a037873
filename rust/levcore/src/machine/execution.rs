//! How a call is carried out: instruction set, threads, and whether somebody wants it to end.

use rayon::prelude::*;

use crate::error::{Error, Result};
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
                let mut more: Vec<Done> =
                    threads::with_pool(threads, || some.into_par_iter().map_init(&remember, &work).collect())?;
                done.append(&mut more);
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
