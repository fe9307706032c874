//! Learned state as bytes: one walk over the fields both writes and reads them.
//!
//! Never knows what the fields mean. Invariant: what one walk wrote, the same walk reads back bit by
//! bit; a reader that meets anything else says `damaged` and fills in zeros.

/// Writes or reads fields in the order in which they are visited.
#[derive(Debug)]
pub enum Archive<'a> {
    /// Fields are appended.
    Write(Vec<u8>),
    /// Fields are taken from the front.
    Read {
        /// What was not read yet.
        rest: &'a [u8],
        /// Something was missing or impossible.
        damaged: bool,
    },
}

impl<'a> Archive<'a> {
    /// An empty one to write to.
    pub fn writer() -> Self {
        Self::Write(Vec::new())
    }

    /// One that reads `bytes`.
    pub fn reader(bytes: &'a [u8]) -> Self {
        Self::Read { rest: bytes, damaged: false }
    }

    /// What was written; empty for a reader.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Write(bytes) => bytes,
            Self::Read { .. } => Vec::new(),
        }
    }

    /// Whether everything was read and nothing was missing; always for a writer.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Write(_) => true,
            Self::Read { rest, damaged } => rest.is_empty() && !damaged,
        }
    }

    /// Whether a reader met something impossible.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Read { damaged: true, .. })
    }

    /// Marks what was read as impossible.
    pub fn refuse(&mut self) {
        if let Self::Read { damaged, .. } = self {
            *damaged = true;
        }
    }

    fn raw<const N: usize>(&mut self, own: [u8; N]) -> [u8; N] {
        match self {
            Self::Write(bytes) => {
                bytes.extend_from_slice(&own);
                own
            }
            Self::Read { rest, damaged } => match rest.split_first_chunk::<N>() {
                Some((head, tail)) => {
                    *rest = tail;
                    *head
                }
                None => {
                    *damaged = true;
                    [0; N]
                }
            },
        }
    }

    /// A finite number.
    pub fn f64(&mut self, field: &mut f64) {
        *field = f64::from_le_bytes(self.raw(field.to_le_bytes()));
        if !field.is_finite() {
            *field = 0.0;
            self.refuse();
        }
    }

    /// A finite number.
    pub fn f32(&mut self, field: &mut f32) {
        *field = f32::from_le_bytes(self.raw(field.to_le_bytes()));
        if !field.is_finite() {
            *field = 0.0;
            self.refuse();
        }
    }

    /// A whole number.
    pub fn u32(&mut self, field: &mut u32) {
        *field = u32::from_le_bytes(self.raw(field.to_le_bytes()));
    }

    /// A small whole number.
    pub fn u8(&mut self, field: &mut u8) {
        [*field] = self.raw([*field]);
    }

    /// A signed whole number.
    pub fn i64(&mut self, field: &mut i64) {
        *field = i64::from_le_bytes(self.raw(field.to_le_bytes()));
    }

    /// Whether something is so.
    pub fn flag(&mut self, field: &mut bool) {
        let mut byte = u8::from(*field);
        self.u8(&mut byte);
        if byte > 1 {
            self.refuse();
        }
        *field = byte == 1;
    }

    /// A length of at most `most`.
    pub fn len(&mut self, own: usize, most: usize) -> usize {
        let mut length = u32::try_from(own).unwrap_or(u32::MAX);
        self.u32(&mut length);
        let length = length as usize;
        if length > most {
            self.refuse();
            return 0;
        }
        length
    }

    /// At most `most` finite numbers.
    pub fn floats(&mut self, field: &mut Vec<f32>, most: usize) {
        let length = self.len(field.len(), most);
        if matches!(self, Self::Read { .. }) {
            *field = vec![0.0; if self.is_damaged() { 0 } else { length }];
        }
        for value in field {
            self.f32(value);
        }
    }

    /// Fields whose length stands before them, so that a reader that does not know them can pass over them: it reads
    /// nothing of the part.
    pub fn part(&mut self, fields: impl FnOnce(&mut Archive<'_>)) {
        match self {
            Self::Write(bytes) => {
                let mut part = Archive::writer();
                fields(&mut part);
                let part = part.into_bytes();
                bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend_from_slice(&part);
            }
            Self::Read { rest, damaged } => {
                let split =
                    rest.split_first_chunk::<4>().and_then(|(n, tail)| tail.split_at_checked(u32::from_le_bytes(*n) as usize));
                let Some((part, tail)) = split else {
                    *damaged = true;
                    return;
                };
                *rest = tail;
                let mut part = Archive::reader(part);
                fields(&mut part);
                *damaged |= part.is_damaged();
            }
        }
    }

    /// A text of at most 4,096 bytes.
    pub fn text(&mut self, field: &mut String) {
        let length = self.len(field.len(), 4096);
        match self {
            Self::Write(bytes) => bytes.extend_from_slice(field.as_bytes()),
            Self::Read { rest, damaged } => {
                let taken = rest.split_at_checked(length).and_then(|(head, tail)| {
                    *rest = tail;
                    std::str::from_utf8(head).ok()
                });
                *damaged |= taken.is_none();
                *field = taken.unwrap_or_default().to_owned();
            }
        }
    }
}
