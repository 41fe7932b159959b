//! A server of one answer: it is healthy, lists one model, and gives that answer to everything that is posted.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    sync::Notify,
    task::JoinHandle,
};
use upstream::{Address, Kind, UpstreamConfig};

pub(crate) struct Scripted {
    address: Address,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    answer: Vec<u8>,
    /// Stays silent after the answer, until the other end closes.
    silent: bool,
    ill: AtomicBool,
    last: Mutex<String>,
    hung_up: Notify,
}

pub(crate) fn config(server: &Scripted) -> UpstreamConfig {
    UpstreamConfig {
        address: server.address.clone(),
        kind: Kind::Vllm,
        model: "theirs".to_owned(),
        name: "ours".to_owned(),
        model_digest: [1; 32],
        software_digest: [2; 32],
        context_tokens: 64,
        max_requests: 2,
        patience: Duration::from_secs(20),
    }
}

/// A stream of these data.
pub(crate) fn events(data: &[&str]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n";
    let events = data.iter().map(|data| format!("data: {data}\n\n"));
    [head.to_owned(), events.collect()].concat().into_bytes()
}

pub(crate) fn json_answer(json: &str) -> Vec<u8> {
    let length = json.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}").into_bytes()
}

impl Scripted {
    pub(crate) async fn start(answer: Vec<u8>, unix: bool) -> Self {
        Self::serve(answer, unix, false).await
    }

    pub(crate) async fn silent(answer: Vec<u8>) -> Self {
        Self::serve(answer, false, true).await
    }

    async fn serve(answer: Vec<u8>, unix: bool, silent: bool) -> Self {
        let state = Arc::new(State {
            answer,
            silent,
            ill: AtomicBool::new(false),
            last: Mutex::default(),
            hung_up: Notify::new(),
        });
        let shared = Arc::clone(&state);
        let (address, serving) = if unix {
            let path = socket_path();
            let socket = UnixListener::bind(&path).unwrap();
            let serving = tokio::spawn(async move {
                while let Ok((stream, _)) = socket.accept().await {
                    tokio::spawn(Arc::clone(&shared).answer(stream));
                }
            });
            (Address::Unix(path), serving)
        } else {
            let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = Address::Loopback(socket.local_addr().unwrap());
            let serving = tokio::spawn(async move {
                while let Ok((stream, _)) = socket.accept().await {
                    tokio::spawn(Arc::clone(&shared).answer(stream));
                }
            });
            (address, serving)
        };
        Self {
            address,
            state,
            serving,
        }
    }

    pub(crate) fn fall_ill(&self) {
        self.state.ill.store(true, Ordering::SeqCst);
    }

    /// What was posted last.
    pub(crate) fn last(&self) -> String {
        self.state.last.lock().unwrap().clone()
    }

    /// Returns once somebody closed the connection of a silent answer.
    pub(crate) async fn hung_up(&self) {
        self.state.hung_up.notified().await;
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn socket_path() -> PathBuf {
    let name = format!("upstream-{}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

impl State {
    async fn answer(self: Arc<Self>, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let request = read(&mut stream).await;
        let list = json_answer(r#"{"object":"list","data":[{"id":"theirs"}]}"#);
        let well = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
        let ill = b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n".to_vec();
        let answer = match request.split_whitespace().nth(1) {
            Some("/health") if self.ill.load(Ordering::SeqCst) => ill,
            Some("/health") => well,
            Some("/v1/models") => list,
            _ => {
                *self.last.lock().unwrap() = request;
                self.posted(&mut stream).await;
                return;
            }
        };
        let _ = stream.write_all(&answer).await;
    }

    async fn posted(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
        let _ = stream.write_all(&self.answer).await;
        if self.silent {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            self.hung_up.notify_one();
        }
    }
}

/// A request's head and body.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if body.len() >= length {
            break;
        }
    }
    String::from_utf8(bytes).unwrap()
}
