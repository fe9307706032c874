//! Signals and nice values for processes of this machine, sent with the rights of this process.
//!
//! Never done for somebody else: the recorder has no such request. Invariant: a process that is not the
//! one that was seen (number and start) is left alone.

use crate::ui::{ProcessWish, Target};

/// Does a wish to one process.
///
/// # Errors
/// Why it could not: ended, not permitted, another process has its number.
pub fn perform(target: &Target, wish: ProcessWish) -> Result<(), String> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal, setpriority_process};
    let number = i32::try_from(target.id.pid).map_err(|e| e.to_string())?;
    let pid = Pid::from_raw(number).ok_or("a number below 1 is no process")?;
    // Opened before it is looked at: whatever has the number then is what the descriptor means.
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|e| refusal(e, wish))?;
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).map_err(|_| "it has ended".to_owned())?;
    if started(&stat) != Some(target.id.started) {
        return Err("it has ended; its number belongs to another process now, which was left alone".to_owned());
    }
    match wish {
        ProcessWish::Signal(signal) => {
            let signal = number_of(signal.name).ok_or("this system has no such signal")?;
            pidfd_send_signal(&handle, signal).map_err(|e| refusal(e, wish))
        }
        ProcessWish::Nice(nice) => setpriority_process(Some(pid), i32::from(nice)).map_err(|e| refusal(e, wish)),
    }
}

/// The start of a process in ticks since boot: the 22nd field of its `stat`, counted behind the name.
fn started(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn number_of(name: &str) -> Option<rustix::process::Signal> {
    use rustix::process::Signal;
    Some(match name {
        "TERM" => Signal::TERM,
        "KILL" => Signal::KILL,
        "INT" => Signal::INT,
        "HUP" => Signal::HUP,
        "QUIT" => Signal::QUIT,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        "TSTP" => Signal::TSTP,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "ALRM" => Signal::ALARM,
        "ABRT" => Signal::ABORT,
        "WINCH" => Signal::WINCH,
        _ => return None,
    })
}

fn refusal(error: rustix::io::Errno, wish: ProcessWish) -> String {
    use rustix::io::Errno;
    match (error, wish) {
        (Errno::SRCH, _) => "it has ended".to_owned(),
        (Errno::PERM, ProcessWish::Signal(_)) => {
            "not permitted: it belongs to another user; run farol as that user or root".to_owned()
        }
        (Errno::PERM | Errno::ACCESS, ProcessWish::Nice(_)) => {
            "not permitted: only root may lower a nice value or change another user's process".to_owned()
        }
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    use super::*;
    use crate::model::ProcessId;
    use crate::ui::wish::SIGNALS;

    fn sleeper() -> (Child, Target) {
        let child = Command::new("sleep").arg("600").spawn().expect("sleep is everywhere");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it lives");
        let id = ProcessId { pid: child.id(), started: started(&stat).expect("a start") };
        (child, Target { id, name: "sleep".to_owned() })
    }

    #[test]
    fn every_signal_offered_exists() {
        assert!(SIGNALS.iter().all(|s| number_of(s.name).is_some()));
    }

    #[test]
    fn a_signal_reaches_the_process_that_was_seen_and_no_other() {
        let (mut child, target) = sleeper();
        let term = ProcessWish::Signal(&SIGNALS[0]);
        let later = Target { id: ProcessId { started: target.id.started + 1, ..target.id }, ..target.clone() };
        assert!(perform(&later, term).expect_err("another one").contains("left alone"));
        assert!(child.try_wait().expect("a child").is_none());
        perform(&target, ProcessWish::Nice(19)).expect("a higher nice value is always allowed");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", target.id.pid)).expect("it lives");
        assert_eq!(stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(16)), Some("19"));
        perform(&target, term).expect("our own child");
        assert_eq!(child.wait().expect("it ended").signal(), Some(15));
        assert!(perform(&target, term).expect_err("it is gone").contains("ended"));
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_start() {
        let rest = (4..=30).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(started(&format!("7 (a) b) (c) S {rest}")), Some(22));
    }
}
