//! One file a view: the overview, services, alerts, predictions, history, processes.
//!
//! A pane draws from what it is handed, `draw(&self, ctx, area, buf)`, and changes nothing. Invariant: no
//! area, however small, and no text, however hostile, makes one panic or draw outside its area.
