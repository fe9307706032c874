//! What a line of a log says of logins, of rights and of the kernel.
//!
//! Pure. Invariant: names come from strangers, so a line is taken apart from its ends, which they do not write; what is kept of it
//! steers no terminal and holds no password: of commands only the program, of accounts only those there are.

use crate::model::SecurityEvent as Event;
use crate::model::Severity::{self, Info, Warning};

/// Signs of a line that are kept as evidence: enough for a command.
const EVIDENCE: usize = 160;

/// Signs of a name: Linux' own limit for accounts is 32, strangers may try longer ones.
const NAME: usize = 64;

/// What one line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: &'static str,
    pub(super) severity: Severity,
    pub(super) subject: String,
    /// Address it came from; empty: none.
    pub(super) from: String,
    pub(super) evidence: String,
    /// Address and port, where the line is about a connection that ended without a login.
    pub(super) ended: Option<String>,
    /// Address and port, where it is about a try on a connection.
    pub(super) tried: Option<String>,
}

impl Told {
    fn new(kind: &'static str, severity: Severity, subject: &str, evidence: &str) -> Self {
        let (subject, evidence) = (clean(subject, NAME), clean(evidence, EVIDENCE));
        Self { kind, severity, subject, from: String::new(), evidence, ended: None, tried: None }
    }

    fn from(self, address: &str) -> Self {
        Self { from: clean(address, NAME), ..self }
    }
}

/// Without what steers a terminal, and not longer than so many signs.
fn clean(text: &str, most: usize) -> String {
    let mut kept: String = text.trim().chars().take(most).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.trim().chars().nth(most).is_some() {
        kept.push('…');
    }
    kept
}

/// Takes a line apart: `TIME HOST PROGRAM[PID]: MESSAGE`, as files and journalctl have it.
pub(super) fn told(line: &str) -> Option<Told> {
    let (head, message) = line.split_once(": ")?;
    let program = head.rsplit(char::is_whitespace).next()?.split('[').next()?;
    let message = message.trim_start();
    match program {
        "sshd" | "sshd-session" => sshd(message),
        "sudo" => sudo(message),
        "su" => su(message),
        "kernel" => kernel(message),
        _ => pam(message).or_else(|| console(program, message)),
    }
}

fn sshd(message: &str) -> Option<Told> {
    if let Some((method, rest)) = message.strip_prefix("Accepted ").and_then(|rest| rest.split_once(" for ")) {
        let (user, address, _) = who(rest)?;
        return Some(Told::new(Event::LOGIN, Info, user, &format!("sshd: {method}")).from(address));
    }
    if let Some((method, rest)) = message.strip_prefix("Failed ").and_then(|rest| rest.split_once(" for ")) {
        // Clients offer their keys one by one: that a key does not fit is no try.
        if method == "publickey" || method == "none" {
            return None;
        }
        let (user, address, port) = who(rest)?;
        let told = Told::new(Event::LOGIN_FAILED, Info, user, &format!("sshd: {method}")).from(address);
        return Some(Told { tried: Some(format!("{address} {port}")), ..told });
    }
    // Where only keys are taken, nothing else tells of who tried without one.
    let rest =
        ["Connection closed by ", "Connection reset by ", "Disconnected from "].iter().find_map(|p| message.strip_prefix(p))?;
    let rest = rest.strip_suffix(" [preauth]")?;
    let rest = rest.strip_prefix("authenticating user ").or_else(|| rest.starts_with(INVALID).then_some(rest))?;
    let (rest, port) = rest.rsplit_once(" port ")?;
    let (user, address) = rest.rsplit_once(' ')?;
    let told = Told::new(Event::LOGIN_FAILED, Info, account(user), "sshd: went without having come in").from(address);
    Some(Told { ended: Some(format!("{address} {port}")), ..told })
}

/// `[invalid user ]USER from ADDRESS port PORT …`: user, address, port.
fn who(rest: &str) -> Option<(&str, &str, &str)> {
    let (user, connection) = rest.rsplit_once(" from ")?;
    let mut words = connection.split_whitespace();
    let (address, _, port) = (words.next()?, words.next()?, words.next()?);
    Some((account(user), address, port))
}

/// What sshd writes before the name of an account there is not.
const INVALID: &str = "invalid user ";

/// People type their password where a name is asked for: a name nobody has is not kept.
fn account(user: &str) -> &str {
    if user.starts_with(INVALID) { "unknown account" } else { user }
}

/// `USER : [REASON ; ]TTY=… ; PWD=… ; USER=… ; COMMAND=…`.
fn sudo(message: &str) -> Option<Told> {
    let (user, rest) = message.split_once(" : ")?;
    let (_, command) = rest.split_once("COMMAND=")?;
    let command = command.split_whitespace().next().unwrap_or_default();
    let first = rest.split(" ; ").next()?;
    let is_field = first.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase()));
    let becomes = rest.split(" ; ").find_map(|part| part.strip_prefix("USER=")).unwrap_or("root");
    Some(match is_field {
        true => Told::new(Event::PRIVILEGE, Info, user, &format!("sudo as {becomes}: {command}")),
        false => Told::new(Event::REFUSED, Warning, user, &format!("sudo as {becomes}: {first}: {command}")),
    })
}

/// `(to ROOT) USER on TTY`, behind `FAILED SU` where it was refused.
fn su(message: &str) -> Option<Told> {
    let refused = message.strip_prefix("FAILED SU ");
    let (becomes, user) = refused.unwrap_or(message).strip_prefix("(to ")?.split_once(") ")?;
    let (user, _) = user.split_once(" on ")?;
    let (kind, severity) = if refused.is_some() { (Event::REFUSED, Warning) } else { (Event::PRIVILEGE, Info) };
    Some(Told::new(kind, severity, user, &format!("su as {becomes}")))
}

/// Services of PAM by which people come in; sshd, sudo and su say more themselves, and the rest are programs.
const DOORS: [&str; 8] = ["cockpit", "gdm-autologin", "gdm-password", "lightdm", "login", "sddm", "vsftpd", "xrdp-sesman"];

/// `pam_unix(SERVICE:session): session opened for user USER…`, `pam_unix(SERVICE:auth): authentication failure; … rhost=HOST user=USER`.
fn pam(message: &str) -> Option<Told> {
    let (service, rest) = message.strip_prefix("pam_unix(")?.split_once(':')?;
    if !DOORS.contains(&service) {
        return None;
    }
    if let Some(user) = rest.strip_prefix("session): session opened for user ") {
        let user = user.split([' ', '(']).next()?;
        return Some(Told::new(Event::LOGIN, Info, user, service));
    }
    let fields = rest.strip_prefix("auth): authentication failure;")?;
    let field = |name: &str| fields.split_whitespace().find_map(|word| word.strip_prefix(name)).unwrap_or_default();
    Some(Told::new(Event::LOGIN_FAILED, Info, field("user="), service).from(field("rhost=")))
}

/// `FAILED LOGIN (1) on '/dev/tty1' FOR 'root', …` of an account there is not, of which PAM names no user.
fn console(program: &str, message: &str) -> Option<Told> {
    let rest = message.strip_prefix("FAILED LOGIN ").filter(|_| program == "login")?;
    let (_, user) = rest.split_once("FOR '")?;
    user.starts_with("UNKNOWN'").then(|| Told::new(Event::LOGIN_FAILED, Info, "unknown account", "login"))
}

/// What of the kernel's messages concerns security: a part of the message, what it means, how bad it is.
const KERNEL: [(&str, &str, Severity); 9] = [
    ("apparmor=\"DENIED\"", "AppArmor refused something", Info),
    ("avc:  denied", "SELinux refused something", Info),
    ("possible SYN flooding", "a port is flooded with connections", Warning),
    ("entered promiscuous mode", "somebody listens to all traffic", Warning),
    ("module verification failed", "a module without a signature was loaded", Warning),
    ("loading out-of-tree module", "a module of others was loaded", Info),
    ("segfault at ", "a program crashed", Info),
    ("general protection fault", "a program or the kernel crashed", Warning),
    ("kernel BUG at ", "the kernel failed", Warning),
];

fn kernel(message: &str) -> Option<Told> {
    let (_, means, severity) = KERNEL.iter().find(|(part, ..)| message.contains(part))?;
    // `[ 12.345678] nginx[77]: segfault …`: the time since the start is in files, not in the journal.
    let message = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((time, rest)) if time.trim().parse::<f64>().is_ok() => rest,
        _ => message,
    };
    Some(Told::new(Event::KERNEL, *severity, means, message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(line: &str) -> String {
        told(line).map_or_else(|| "-".to_owned(), |t| format!("{} | {} | {} | {}", t.kind, t.subject, t.from, t.evidence))
    }

    #[test]
    fn logins_tries_and_rights_are_told_with_who_and_from_where() {
        for (line, expected) in [
            (
                "Nov 22 05:11:01 web-1 sshd[7]: Accepted publickey for ana from 10.0.0.9 port 51234 ssh2: ED25519 SHA256:x",
                "login | ana | 10.0.0.9 | sshd: publickey",
            ),
            (
                "2026-11-22T05:11:01.123+00:00 web-1 sshd-session[7]: Failed password for root from 2001:db8::1 port 4 ssh2",
                "login failed | root | 2001:db8::1 | sshd: password",
            ),
            (
                "Nov 22 05:11:01 web-1 sshd[7]: Failed password for invalid user a from 9.9.9.9 port 1 from 203.0.113.5 port 22 ssh2",
                "login failed | unknown account | 203.0.113.5 | sshd: password",
            ),
            ("Nov 22 05:11:01 web-1 sshd[7]: Failed publickey for ana from 10.0.0.9 port 51234 ssh2: RSA x", "-"),
            (
                "Nov 22 05:11:01 web-1 sshd[7]: Connection closed by authenticating user root 203.0.113.5 port 22 [preauth]",
                "login failed | root | 203.0.113.5 | sshd: went without having come in",
            ),
            ("Nov 22 05:11:01 web-1 sshd[7]: Disconnected from user ana 10.0.0.9 port 51234", "-"),
            (
                "1763788261.123456 web-1 sudo[9]:      ana : TTY=pts/0 ; PWD=/home/ana ; USER=root ; COMMAND=/usr/bin/apt update",
                "privilege gained | ana |  | sudo as root: /usr/bin/apt",
            ),
            (
                "Nov 22 05:11:01 web-1 sudo:      eve : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
                "privilege refused | eve |  | sudo as root: user NOT in sudoers: /bin/sh",
            ),
            ("Nov 22 05:11:01 web-1 sudo: pam_unix(sudo:session): session opened for user root(uid=0) by ana(uid=1000)", "-"),
            ("Nov 22 05:11:01 web-1 su[9]: (to root) ana on pts/0", "privilege gained | ana |  | su as root"),
            ("Nov 22 05:11:01 web-1 su[9]: FAILED SU (to root) eve on pts/0", "privilege refused | eve |  | su as root"),
            (
                "Nov 22 05:11:01 web-1 login[9]: pam_unix(login:session): session opened for user ana(uid=1000) by LOGIN(uid=0)",
                "login | ana |  | login",
            ),
            ("Nov 22 05:11:01 web-1 CRON[9]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", "-"),
            (
                "Nov 22 05:11:01 web-1 gdm: pam_unix(gdm-password:auth): authentication failure; logname= uid=0 tty=/dev/tty1 ruser= rhost=  user=ana",
                "login failed | ana |  | gdm-password",
            ),
            (
                "Nov 22 05:11:01 web-1 kernel: [  12.345678] nginx[77]: segfault at 0 ip 0 sp 0 error 4",
                "kernel message | a program crashed |  | nginx[77]: segfault at 0 ip 0 sp 0 error 4",
            ),
            ("Nov 22 05:11:01 web-1 kernel: usb 1-1: new high-speed USB device", "-"),
            ("", "-"),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn a_name_cannot_steer_a_terminal_or_be_longer_than_a_name() {
        let line = format!("Nov 22 05:11:01 h sshd[7]: Failed password for \x1b[2J{} from 10.0.0.9 port 1 ssh2", "x".repeat(99));
        let told = told(&line).expect("a try");
        assert!(told.subject.starts_with("?[2Jxxx") && told.subject.chars().count() == NAME + 1, "{told:?}");
        assert_eq!(told.tried.as_deref(), Some("10.0.0.9 1"));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic_and_nothing_of_it_steers_a_terminal(
            program in prop::sample::select(vec!["sshd", "sudo", "su", "login", "kernel", "gdm"]),
            start in prop::sample::select(vec![
                "", "Accepted ", "Failed password for ", "Connection closed by invalid user ", "(to ", "FAILED SU (to ", "pam_unix(login:",
                "FAILED LOGIN ", "[1.0] segfault at ",
            ]),
            rest in "\\PC{0,40}[ :;=)(\x1b]{0,4}( from | port | on | : | ; COMMAND=)?\\PC{0,40}",
        ) {
            if let Some(told) = told(&format!("Nov 22 05:11:01 host {program}[1]: {start}{rest}")) {
                let texts = [&told.subject, &told.from, &told.evidence];
                prop_assert!(texts.iter().all(|t| !t.chars().any(char::is_control)), "{:?}", told);
            }
        }
    }
}
