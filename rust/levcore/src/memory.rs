//! Memory whose size the caller's data decide: where there is none the call ends in an error, and not the process.

use crate::error::{Error, Result};

/// Bytes that a process always finds: without so few the interpreter could not even say that there is no room.
const ALWAYS_THERE: usize = 1 << 14;

/// An empty vector with room for so many elements.
///
/// # Errors
///
/// [`Error::Memory`] where there is no room.
pub fn with_room<T>(count: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    reserve_exact(&mut vector, count)?;
    Ok(vector)
}

/// A vector of so many equal elements.
pub(crate) fn filled<T: Clone>(element: T, count: usize) -> Result<Vec<T>> {
    let mut vector = with_room(count)?;
    vector.resize(count, element);
    Ok(vector)
}

/// Elements of an iterator, of which there are not more than `count`.
pub(crate) fn collected<T>(count: usize, elements: impl Iterator<Item = T>) -> Result<Vec<T>> {
    let mut vector = with_room(count)?;
    vector.extend(elements);
    Ok(vector)
}

/// Asks whether there is room for many small buffers, which together take so many bytes: it is taken as one and given back at once.
///
/// The buffers of blocks, accounts and threads grow where no error can be handed on; asked before, a call ends in one all the same.
///
/// # Errors
///
/// [`Error::Memory`] where there is no room.
pub fn room_for(bytes: usize) -> Result<()> {
    if bytes <= ALWAYS_THERE {
        return Ok(());
    }
    // Without a look at it the compiler would leave the memory out.
    std::hint::black_box(&with_room::<u8>(bytes)?);
    Ok(())
}

/// Makes room for so many elements more, and for as many again if the vector has to move.
pub(crate) fn reserve<T>(vector: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = more.saturating_mul(size_of::<T>());
    vector.try_reserve(more).map_err(|_| Error::Memory { bytes })
}

fn reserve_exact<T>(vector: &mut Vec<T>, more: usize) -> Result<()> {
    let bytes = more.saturating_mul(size_of::<T>());
    vector.try_reserve_exact(more).map_err(|_| Error::Memory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_can_be_is_an_error() {
        let bytes = usize::MAX;
        assert_eq!(with_room::<u64>(usize::MAX), Err(Error::Memory { bytes }));
        assert_eq!(filled(0.0, usize::MAX / 8), Err(Error::Memory { bytes: usize::MAX / 8 * 8 }));
        let mut some = vec![1_u32];
        assert!(reserve(&mut some, usize::MAX).is_err());
        assert_eq!(some, [1]);
        assert!(reserve(&mut some, 3).is_ok());
        assert!(some.capacity() >= 4);
        assert_eq!(collected(2, [4, 5].into_iter()), Ok(vec![4, 5]));
        assert_eq!(room_for(usize::MAX), Err(Error::Memory { bytes }));
        assert_eq!(room_for(1 << 20), Ok(()));
    }
}
