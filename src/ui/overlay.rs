//! What lies over a page: help, palette, the filter's words, forms, and short messages.
//!
//! A stack, so that Esc always takes exactly one away. Invariant: nothing here decides anything; a form
//! becomes a request in `update` only.

use super::pick::Pick;
use super::settings::Goal;
use super::state::Look;
use super::wish::{ProcessWish, Target};
use crate::base::Timestamp;

/// A line of text being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    text: String,
    /// Characters before the cursor.
    at: usize,
}

impl Input {
    /// With the cursor at the end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.chars().count() }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before and after the cursor.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.offset(self.at))
    }

    fn offset(&self, characters: usize) -> usize {
        self.text.char_indices().nth(characters).map_or(self.text.len(), |(i, _)| i)
    }

    /// Adds text at the cursor; control characters are left out, and so is what passes 500 characters.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            // Longer than any comment or list of matchers; a pasted file must not end here.
            if self.text.chars().count() >= 500 {
                return;
            }
            let offset = self.offset(self.at);
            self.text.insert(offset, c);
            self.at += 1;
        }
    }

    /// Takes the character before the cursor away.
    pub fn backspace(&mut self) {
        if self.at > 0 {
            self.at -= 1;
            self.delete();
        }
    }

    /// Takes the character under the cursor away.
    pub fn delete(&mut self) {
        let offset = self.offset(self.at);
        if offset < self.text.len() {
            self.text.remove(offset);
        }
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Moves the cursor by characters, at most to an end.
    pub fn step(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.text.chars().count());
    }
}

/// What a form is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormKind {
    /// Nobody is told of matching alerts for a while.
    Silence,
    /// An alert, by id, is put off.
    Snooze(String),
    /// Somebody takes care of an alert, by id.
    Acknowledge(String),
    /// A report into a file.
    Export,
    /// A note at a moment.
    Note(Timestamp),
    /// Something happened, whether or not anybody was told.
    Incident,
    /// The time cursor to a moment.
    GoTo,
    /// A service, by name, is worked on.
    Maintenance(String),
    /// A value of the configuration.
    Setting(Goal),
    /// Something is done to processes.
    Wish(Vec<Target>, ProcessWish),
}

/// What is filled into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Words.
    Text(Input),
    /// One of several, by place.
    Choice(&'static [&'static str], usize),
}

/// One line of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub label: &'static str,
    /// What is filled in.
    pub value: FieldValue,
}

impl Field {
    /// A field of words.
    pub fn text(label: &'static str, text: &str) -> Self {
        Self { label, value: FieldValue::Text(Input::new(text)) }
    }

    /// A field with one of several.
    pub fn choice(label: &'static str, options: &'static [&'static str], at: usize) -> Self {
        Self { label, value: FieldValue::Choice(options, at) }
    }

    /// What is filled in, as text.
    pub fn filled(&self) -> &str {
        match &self.value {
            FieldValue::Text(input) => input.text(),
            FieldValue::Choice(options, at) => options.get(*at).copied().unwrap_or(""),
        }
    }
}

/// Some fields and what they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What for.
    pub kind: FormKind,
    /// Heading.
    pub title: String,
    /// From top to bottom.
    pub fields: Vec<Field>,
    /// The field that gets the keys.
    pub focus: usize,
    /// Why it was not accepted.
    pub problem: Option<String>,
}

impl Form {
    /// What is filled into a field, by its label.
    pub fn get(&self, label: &str) -> &str {
        self.fields.iter().find(|f| f.label == label).map_or("", Field::filled)
    }
}

/// Something over the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// What works here; first line shown.
    Help(usize),
    /// Actions by name: what was typed and the chosen row.
    Palette(Input, usize),
    /// Themes: the chosen row, and how it looked before.
    Themes(usize, Look),
    /// Panes of the page: the chosen row.
    Panes(usize),
    /// The words of `/`, and what they were before.
    Filter(Input, String),
    /// A form.
    Form(Form),
    /// A list to choose from.
    Pick(Pick),
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done.
    Good,
    /// Done, but.
    Warning,
    /// Not done.
    Bad,
}

/// A short message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// One line.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// Time of the newest snapshot when it came; it goes some seconds later.
    pub at: Timestamp,
    /// How often new readings have come since: time runs fast in a simulation, people do not read faster.
    pub seen: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_edited_where_the_cursor_is() {
        let mut input = Input::new("äb");
        input.step(-1);
        input.insert("日\n");
        assert_eq!((input.text(), input.parts()), ("ä日b", ("ä日", "b")));
        input.backspace();
        input.backspace();
        input.backspace();
        input.delete();
        input.delete();
        assert_eq!(input.text(), "");
        input.insert(&"x".repeat(9000));
        assert_eq!(input.text().len(), 500);
    }
}
