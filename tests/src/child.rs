//! Child processes that say when they are ready and end when their parent does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a child announces itself on standard output: this word, a space, and what its parent needs to know.
pub const READY: &str = "ready";

/// A running child. It holds the child's standard input open: a child of this crate ends when that closes, so none outlives its parent.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What came after [`READY`]: an address or a URL.
    pub ready: String,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    /// Starts `program` and waits until it says [`READY`]; everything that it prints is kept for [`Process::output`].
    pub fn start(program: &Path, arguments: &[&str]) -> io::Result<Self> {
        Self::start_when(program, arguments, READY)
    }

    /// The same for a program that announces itself in its own words: a line that begins with `word`.
    pub fn start_when(program: &Path, arguments: &[&str], word: &str) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = Arc::new(Mutex::new(Vec::new()));
        let stdin = child.stdin.take();
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, Arc::clone(&output));
        }
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("the child has no standard output"))?;
        let mut lines = BufReader::new(stdout);
        let ready = wait_until_ready(&mut lines, word, &output);
        keep(lines, Arc::clone(&output));
        match ready {
            Some(ready) => Ok(Self {
                child,
                stdin,
                ready,
                output,
            }),
            None => Err(gave_up(child, &output)),
        }
    }

    /// Process id, for a look into its memory.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything printed so far, standard output and error together.
    #[must_use]
    pub fn output(&self) -> Vec<u8> {
        self.output
            .lock()
            .map(|kept| kept.clone())
            .unwrap_or_default()
    }

    /// Whether it prints `text`, or has printed it, before `patience` is over.
    #[must_use]
    pub fn tells(&self, text: &str, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if String::from_utf8_lossy(&self.output()).contains(text) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Says `line` to the child on its standard input.
    pub fn say(&self, line: &str) -> io::Result<()> {
        let closed = || io::Error::other("the child's standard input is closed");
        let mut stdin = self.stdin.as_ref().ok_or_else(closed)?;
        writeln!(stdin, "{line}")?;
        stdin.flush()
    }

    /// Ends the child by closing its standard input, by force after `patience`.
    pub fn end(&mut self, patience: Duration) {
        drop(self.stdin.take());
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(Duration::from_secs(10));
    }
}

/// Ends this process's work when its standard input closes: call it in a child.
pub fn parent_has_ended() -> tokio::sync::oneshot::Receiver<()> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = tell.send(());
    });
    told
}

/// Announces readiness to the parent.
pub fn announce(what: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{READY} {what}")?;
    stdout.flush()
}

fn wait_until_ready(
    lines: &mut impl BufRead,
    word: &str,
    output: &Mutex<Vec<u8>>,
) -> Option<String> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(what) = line.strip_prefix(word) {
            return Some(what.trim().to_owned());
        }
        append(output, line.as_bytes());
    }
}

fn gave_up(mut child: Child, output: &Mutex<Vec<u8>>) -> io::Error {
    let status = child
        .wait()
        .map_or_else(|e| e.to_string(), |s| s.to_string());
    std::thread::sleep(Duration::from_millis(100));
    let said = output
        .lock()
        .map(|kept| String::from_utf8_lossy(&kept).into_owned())
        .unwrap_or_default();
    io::Error::other(format!(
        "the child ended before it was ready ({status}):\n{said}"
    ))
}

fn keep(mut from: impl Read + Send + 'static, output: Arc<Mutex<Vec<u8>>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            append(&output, buffer.get(..n).unwrap_or_default());
        }
    });
}

fn append(output: &Mutex<Vec<u8>>, bytes: &[u8]) {
    if let Ok(mut kept) = output.lock() {
        kept.extend_from_slice(bytes);
    }
}
