//! Does what it is ordered.

use crate::{
    Frame, answer,
    handles::Handles,
    order::{Kind, Order},
};
use attestation::UnixTime;
use serde_json::json;
use session::{
    Call, Composition, Exchange, Failure, Flow, Random, Reading, Request, Session, SessionError,
};

const NO_ORDER: SessionError = SessionError::Order("an order that is none");
const NO_SUCH: SessionError = SessionError::Order("a value that was closed or never was");

/// All sessions, flows and exchanges of one module.
pub struct Worker {
    compose: fn() -> Composition,
    sessions: Handles<Session>,
    flows: Handles<(u32, Flow)>,
    exchanges: Handles<Exchange>,
}

impl Worker {
    /// Trusts what `compose` says.
    #[must_use]
    pub const fn composed(compose: fn() -> Composition) -> Self {
        Self {
            compose,
            sessions: Handles::new(),
            flows: Handles::new(),
            exchanges: Handles::new(),
        }
    }

    /// Trusts the vendors' roots.
    #[must_use]
    pub const fn vendor() -> Self {
        Self::composed(|| Composition::vendor(random()))
    }

    /// Answers one order; what is none is an error like any other.
    pub fn answer(&mut self, frame: &[u8]) -> Frame {
        let answered = Frame::parse(frame).ok_or(NO_ORDER).and_then(|frame| {
            let order = serde_json::from_str(&frame.json).map_err(|_| NO_ORDER)?;
            self.obey(order, frame)
        });
        answered.unwrap_or_else(|error| answer::error(&error))
    }

    fn obey(&mut self, order: Order, frame: Frame) -> Result<Frame, SessionError> {
        match order {
            Order::Root { settings } => {
                let name = settings.lend(Session::root_name)?;
                Ok(answer::told(&json!({"root": name})))
            }
            Order::Open {
                settings,
                remembered,
            } => {
                let remembered = remembered.as_ref().map(String::as_bytes);
                let composition = (self.compose)();
                let opened =
                    settings.lend(|settings| Session::open(composition, settings, remembered))?;
                self.opened(opened)
            }
            Order::Memory { session } => {
                let memory = self.session(session)?.memory();
                let is_changed = memory.take_changed();
                let text = memory.to_text();
                Ok(answer::told(
                    &json!({"text": text, "isChanged": is_changed}),
                ))
            }
            Order::Recall { session, text } => {
                self.session(session)?.memory().recall(text.as_bytes())?;
                Ok(answer::told(&json!({})))
            }
            Order::Start {
                session,
                method,
                path,
                content_type,
            } => {
                let request = Request::new(&method, &path, content_type.as_deref(), frame.bytes)?;
                let flow = self.session(session)?.start(request)?;
                let id = flow.id().to_string();
                let flow = self.flows.keep((session, flow)).ok_or(NO_SUCH)?;
                Ok(answer::told(&json!({"flow": flow, "id": id})))
            }
            order => self.obey_flow(order, &frame),
        }
    }

    fn obey_flow(&mut self, order: Order, frame: &Frame) -> Result<Frame, SessionError> {
        match order {
            Order::Begin { flow, now } => {
                self.step(flow, |flow, session| flow.begin(session, UnixTime(now)))
            }
            Order::Head {
                flow,
                status,
                content_type,
            } => {
                let (_, flow) = self.flows.get(flow).ok_or(NO_SUCH)?;
                let max_bytes = match flow.head(status, content_type.as_deref())? {
                    Reading::Sealed => None,
                    Reading::Whole { max_bytes } => Some(max_bytes),
                };
                Ok(answer::told(&json!({"maxBytes": max_bytes})))
            }
            Order::Body { flow, now } => self.step(flow, |flow, session| {
                flow.body(session, frame.bytes.to_vec(), UnixTime(now))
            }),
            Order::Failed {
                flow,
                kind,
                why,
                now,
            } => self.step(flow, |flow, session| {
                flow.failed(session, failure(kind, why), UnixTime(now))
            }),
            Order::Notices { flow } => {
                let (_, flow) = self.flows.get(flow).ok_or(NO_SUCH)?;
                Ok(answer::notices(flow.take_notices()))
            }
            Order::Exchange { flow } => {
                let (_, flow) = self.flows.take(flow).ok_or(NO_SUCH)?;
                let exchange = flow.into_exchange()?;
                let (id, node) = (exchange.id().to_string(), exchange.node().name().to_owned());
                let exchange = self.exchanges.keep(exchange).ok_or(NO_SUCH)?;
                Ok(answer::told(
                    &json!({"exchange": exchange, "id": id, "node": node}),
                ))
            }
            order => self.obey_exchange(order, frame),
        }
    }

    fn obey_exchange(&mut self, order: Order, frame: &Frame) -> Result<Frame, SessionError> {
        match order {
            Order::Push { exchange } => {
                let exchange = self.exchanges.get(exchange).ok_or(NO_SUCH)?;
                Ok(answer::events(exchange.push(&frame.bytes)?))
            }
            Order::Finish { exchange } => {
                let exchange = self.exchanges.get(exchange).ok_or(NO_SUCH)?;
                Ok(answer::events(exchange.finish()?))
            }
            Order::Interrupted { exchange, why } => {
                let exchange = self.exchanges.get(exchange).ok_or(NO_SUCH)?;
                Err(exchange.interrupted(why))
            }
            Order::Close {
                session,
                flow,
                exchange,
            } => {
                session.map(|handle| self.sessions.take(handle));
                flow.map(|handle| self.flows.take(handle));
                exchange.map(|handle| self.exchanges.take(handle));
                Ok(answer::told(&json!({})))
            }
            _ => Err(NO_ORDER),
        }
    }

    fn opened(&mut self, session: Session) -> Result<Frame, SessionError> {
        let policy = session.policy();
        let policy = json!({
            "name": policy.name(),
            "version": policy.version(),
            "expires": policy.expires().to_rfc3339(),
        });
        let session = self.sessions.keep(session).ok_or(NO_SUCH)?;
        Ok(answer::told(&json!({"session": session, "policy": policy})))
    }

    fn session(&mut self, handle: u32) -> Result<&mut Session, SessionError> {
        self.sessions.get(handle).ok_or(NO_SUCH)
    }

    fn step(
        &mut self,
        handle: u32,
        step: impl FnOnce(&mut Flow, &mut Session) -> Result<Call, SessionError>,
    ) -> Result<Frame, SessionError> {
        let (session, flow) = self.flows.get(handle).ok_or(NO_SUCH)?;
        let session = self.sessions.get(*session).ok_or(NO_SUCH)?;
        Ok(answer::call(step(flow, session)?))
    }
}

fn failure(kind: Kind, why: String) -> Failure {
    match kind {
        Kind::Connect => Failure::Connect(why),
        Kind::Broken => Failure::Broken(why),
        Kind::TimedOut => Failure::TimedOut,
    }
}

/// JavaScript's randomness; a native build, which only tests have, has none.
const fn random() -> Random {
    #[cfg(target_arch = "wasm32")]
    let random = crate::abi::random;
    #[cfg(not(target_arch = "wasm32"))]
    let random = |_: &mut [u8]| false;
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(order: &str) -> String {
        let frame = Frame {
            json: order.to_owned(),
            ..Frame::default()
        };
        Worker::vendor().answer(&frame.to_bytes()).json
    }

    #[test]
    fn what_is_no_order_is_told_so() {
        for order in [
            "",
            "{}",
            r#"{"do":"fly"}"#,
            r#"{"do":"memory"}"#,
            r#"{"do":"memory","session":1,"more":1}"#,
            r#"{"do":"memory","session":1}"#,
            r#"{"do":"begin","flow":1,"now":1}"#,
            r#"{"do":"push","exchange":7}"#,
        ] {
            assert!(code(order).contains(r#""code":"client.order""#), "{order}");
        }
        let answer = Worker::vendor().answer(&[1]).json;
        assert!(answer.contains(r#""code":"client.order""#));
    }

    #[test]
    fn a_bad_key_is_told_with_its_code() {
        let order =
            r#"{"do":"open","settings":{"policy":"{}","policy_keys":["x"],"now":1800000000}}"#;
        assert!(code(order).contains(r#""code":"policy.key""#));
    }
}
