//! An HTTP/1.1 server of a few lines: each request line has a script of replies, the last of which is given for ever.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    manner: Manner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Whole,
    CutOff,
    Never,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            manner: Manner::Whole,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Declares more than it sends.
    pub(crate) fn cut_off(mut self) -> Self {
        self.manner = Manner::CutOff;
        self
    }

    pub(crate) fn never() -> Self {
        Self {
            manner: Manner::Never,
            ..Self::status(200)
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let missing = usize::from(self.manner == Manner::CutOff) * 10;
        let mut head = format!(
            "HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.status,
            self.body.len() + missing
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

#[derive(Default)]
struct State {
    scripts: HashMap<String, Vec<Reply>>,
    requests: Vec<(String, Vec<u8>)>,
    heads: Vec<String>,
}

/// Runs until it is dropped.
pub(crate) struct Service {
    url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What `GET PATH` or `POST PATH` gets; everything else gets a 404.
    pub(crate) fn on(&self, request: &str, replies: impl IntoIterator<Item = Reply>) {
        let script = replies.into_iter().collect();
        let mut state = self.state.lock().unwrap();
        state.scripts.insert(request.to_owned(), script);
    }

    /// The requests so far, in their order.
    pub(crate) fn requests(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state
            .requests
            .iter()
            .map(|(line, _)| line.clone())
            .collect()
    }

    /// Their request lines and headers, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }

    /// Their bodies.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        let state = self.state.lock().unwrap();
        state
            .requests
            .iter()
            .map(|(_, body)| body.clone())
            .collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) -> io::Result<()> {
    let (line, head, body) = read(&mut stream).await?;
    state.lock().unwrap().heads.push(head);
    let reply = reply(&state, &line, body);
    if reply.manner == Manner::Never {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    stream.write_all(&reply.bytes()).await?;
    stream.shutdown().await
}

fn reply(state: &Mutex<State>, line: &str, body: Vec<u8>) -> Reply {
    let mut state = state.lock().unwrap();
    state.requests.push((line.to_owned(), body));
    match state.scripts.get_mut(line) {
        None => Reply::status(404),
        Some(script) if script.len() == 1 => script[0].clone(),
        Some(script) => script.remove(0),
    }
}

/// `METHOD PATH`, the head in lower case, and the body of one request.
async fn read(stream: &mut TcpStream) -> io::Result<(String, String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| {
        let digits = rest.split("\r\n").next()?;
        digits.parse::<usize>().ok()
    });
    while bytes.len() < end + length.unwrap_or(0) {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let first = String::from_utf8_lossy(&bytes).into_owned();
    let mut words = first.split(' ');
    let line = format!("{} {}", words.next().unwrap(), words.next().unwrap());
    Ok((line, head, bytes.split_off(end)))
}
