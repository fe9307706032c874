//! Rules, state machine, silences; judges values it is handed; pure.
