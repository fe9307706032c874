//! State, update, view, layout, actions, keys, themes, panes, widgets.
