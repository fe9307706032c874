//! Runs a program of this machine and takes what it prints.
//!
//! For the few things no file says. Invariant: it ends in time or is ended, is read up to a limit, and is looked for in
//! the system's own folders only.

use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where programs are looked for: a recorder that runs as root must not take one out of somebody's folder.
const FOLDERS: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/// Most output taken; a list of a thousand units has a tenth of it.
const MOST: usize = 2 << 20;

/// What `program` prints, whatever its exit code.
///
/// # Errors
/// `NotFound` where it is not installed, `TimedOut` where it did not end within `patience`; as the system says.
pub(super) fn run(program: &str, args: &[&str], patience: Duration) -> io::Result<Vec<u8>> {
    let path = FOLDERS.iter().map(|folder| PathBuf::from(folder).join(program)).find(|path| path.exists());
    let path = path.ok_or(ErrorKind::NotFound)?;
    let deadline = Instant::now() + patience;
    // A socket and no pipe: reading from it can be given a time.
    let (mut output, theirs) = UnixStream::pair()?;
    let mut child = Command::new(path)
        .args(args)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", FOLDERS.join(":"))
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .spawn()?;
    let read = read_until(&mut output, deadline);
    if read.is_err() {
        // It may have ended meanwhile.
        let _ = child.kill();
    }
    // Its output is closed, so it ends, or it was killed.
    child.wait()?;
    read
}

fn read_until(output: &mut UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
    let (mut all, mut piece) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        output.set_read_timeout(Some(left.ok_or_else(|| io::Error::from(ErrorKind::TimedOut))?))?;
        match output.read(&mut piece) {
            Ok(0) => return Ok(all),
            Ok(n) => all.extend_from_slice(piece.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        }
        if all.len() > MOST {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "it prints without end"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_program_is_read_whole_whatever_its_exit_code() {
        assert_eq!(run("sh", &["-c", "echo one; echo two; exit 3"], LONG).expect("it runs"), b"one\ntwo\n");
    }

    #[test]
    fn a_program_that_does_not_end_or_prints_without_end_is_ended() {
        let hangs = run("sleep", &["60"], Duration::from_millis(50)).map_err(|e| e.kind());
        assert_eq!(hangs, Err(ErrorKind::TimedOut));
        assert_eq!(run("yes", &[], LONG).map_err(|e| e.kind()), Err(ErrorKind::FileTooLarge));
    }

    #[test]
    fn a_program_that_is_not_installed_is_not_found() {
        assert_eq!(run("farol-no-such-program", &[], LONG).map_err(|e| e.kind()), Err(ErrorKind::NotFound));
    }
}
