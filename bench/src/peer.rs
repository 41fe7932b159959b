//! A peer in a process of its own: told how many seconds to work, it answers with its calls and the seconds of processor time that they took.

use crate::timing::Subject;
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The process, which ends when its standard input does.
pub struct Peer {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn()?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take());
        Ok(Self {
            process,
            orders,
            answers: BufReader::new(answers.ok_or(io::ErrorKind::BrokenPipe)?),
        })
    }

    fn ask(&mut self, seconds: f64) -> Option<f64> {
        writeln!(self.orders.as_mut()?, "{seconds}").ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        let (calls, seconds) = answer.trim().split_once(' ')?;
        Some(seconds.parse::<f64>().ok()? / calls.parse::<f64>().ok()?)
    }
}

impl Subject for Peer {
    fn burst(&mut self, seconds: f64) -> f64 {
        self.ask(seconds).expect("the peer verifies and answers")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.orders = None;
        self.process.wait().ok();
    }
}
