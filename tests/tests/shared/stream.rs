//! A streamed question to the proxy, over a connection of its own.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};
use tests::stack::MODEL;

const PATIENCE: Duration = Duration::from_secs(120);

/// An answer on its way.
pub(crate) struct Stream {
    connection: TcpStream,
    answer: String,
}

impl Stream {
    /// Asks for an answer that is long on any machine: its end tokens are forbidden.
    pub(crate) fn begin(base_url: &str) -> Self {
        Self::asking(
            base_url,
            r#","stream":true,"max_tokens":4000,"temperature":0,"logit_bias":{"0":-100,"2":-100}"#,
        )
    }

    /// A short answer, whole.
    pub(crate) fn short(base_url: &str) -> String {
        Self::asking(base_url, r#","max_tokens":2"#).read_to_end()
    }

    fn asking(base_url: &str, more: &str) -> Self {
        let address = base_url.trim_start_matches("http://");
        let address = address.trim_end_matches("/v1");
        let body = format!(
            r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"Tell a long story about a lighthouse."}}]{more}}}"#
        );
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
        let answer = String::new();
        Self { connection, answer }
    }

    /// Reads until the answer holds `text`.
    pub(crate) fn read_until(&mut self, text: &str) {
        while !self.answer.contains(text) {
            assert!(self.read_some(), "{}", self.answer);
        }
    }

    /// All of the answer, however it ended.
    pub(crate) fn read_to_end(mut self) -> String {
        while self.read_some() {}
        self.answer
    }

    /// Reads on; false once the connection has ended, however it did.
    fn read_some(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.connection.read(&mut buffer) {
            Ok(0) => false,
            Ok(n) => {
                self.answer.push_str(&String::from_utf8_lossy(&buffer[..n]));
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}: {}", self.answer),
        }
    }
}
