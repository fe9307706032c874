//! A ring of the newest values.
//!
//! Invariant: holds at most its capacity; the oldest value leaves first.

use std::collections::VecDeque;

/// The newest values, oldest first.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    items: VecDeque<T>,
    capacity: usize,
}

impl<T> Ring<T> {
    /// An empty ring for at most `capacity` values; memory grows with use.
    pub fn new(capacity: usize) -> Self {
        Self { items: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Adds the newest value and gives back the oldest where there was no room.
    pub fn push(&mut self, item: T) -> Option<T> {
        let gone = if self.items.len() == self.capacity { self.items.pop_front() } else { None };
        self.items.push_back(item);
        gone
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many values it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The newest value.
    pub fn last(&self) -> Option<&T> {
        self.items.back()
    }

    /// The oldest value.
    pub fn first(&self) -> Option<&T> {
        self.items.front()
    }

    /// All values, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.items.iter()
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// The two halves in which the values lie, oldest first.
    pub fn as_slices(&self) -> (&[T], &[T]) {
        self.items.as_slices()
    }
}
