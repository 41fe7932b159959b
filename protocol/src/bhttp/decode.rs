//! The incremental decoder: bytes cut anywhere in, parts of one message out.

use super::{
    BhttpError, Fields, MAX_CONTROL_BYTES, MAX_INFORMATIONAL, RequestControl,
    items::ItemReader,
    section::Section,
    syntax::{check_control, status},
};

/// A part of a message, in order: one head, content, at most one trailer section.
/// No Debug: it holds what was sealed.
#[derive(Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Control data and header section of a request.
    Request {
        /// Method, scheme, authority and path.
        control: [String; 4],
        /// The header section.
        fields: Fields,
    },
    /// Final status and header section of a response; informational responses before it are dropped.
    Response {
        /// 200 to 599.
        status: u16,
        /// The header section.
        fields: Fields,
    },
    /// Content; not empty.
    Content(&'a [u8]),
    /// The trailer section; may be empty.
    Trailers(Fields),
}

/// Decodes one message.
pub struct Decoder {
    kind: Kind,
    known_length: bool,
    state: State,
    items: ItemReader,
    head: Head,
    informational: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
}

/// What of the head has been read.
#[derive(Default)]
struct Head {
    control: Vec<String>,
    status: u16,
}

/// What is read next.
enum State {
    Framing,
    Control,
    Status,
    Header(Section),
    /// The length of the content, or of its first part: the message may end before it.
    ContentStart,
    /// So many bytes of content.
    Content(u64),
    /// The length of the content's next part.
    ContentNext,
    Trailer(Section),
    /// Zeros.
    Padding,
}

/// One step: a part, progress without a part, or a need for more input.
enum Step<'a> {
    Event(Event<'a>),
    Progress,
    Starved,
}

impl Decoder {
    /// For a request.
    #[must_use]
    pub fn request() -> Self {
        Self::new(Kind::Request)
    }

    /// For a response.
    #[must_use]
    pub fn response() -> Self {
        Self::new(Kind::Response)
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            known_length: false,
            state: State::Framing,
            items: ItemReader::default(),
            head: Head::default(),
            informational: 0,
        }
    }

    /// Takes from the front of `input`; gives the next part, or `None` when all of `input` is taken. After an error nothing more is due.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, BhttpError> {
        loop {
            match self.step(input)? {
                Step::Event(event) => return Ok(Some(event)),
                Step::Progress => {}
                Step::Starved => return Ok(None),
            }
        }
    }

    /// The input has ended. A message may end before any section that would be empty, and then its head may still be due.
    // R6.3
    pub fn finish(mut self) -> Result<Option<Event<'static>>, BhttpError> {
        if !self.items.is_empty() {
            return Err(BhttpError::Truncated);
        }
        match &self.state {
            State::Header(section) if section.is_untouched() => self.truncated_head().map(Some),
            State::Trailer(section) if section.is_untouched() => Ok(None),
            State::ContentStart | State::Padding => Ok(None),
            _ => Err(BhttpError::Truncated),
        }
    }

    fn truncated_head(&mut self) -> Result<Event<'static>, BhttpError> {
        match self.header_done(Fields::new())? {
            Step::Event(event) => Ok(event),
            _ => Err(BhttpError::Truncated),
        }
    }

    fn step<'a>(&mut self, input: &mut &'a [u8]) -> Result<Step<'a>, BhttpError> {
        match &mut self.state {
            State::Framing => self.framing(input),
            State::Control => self.control(input),
            State::Status => self.status(input),
            State::Header(section) => match section.read(&mut self.items, input)? {
                Some(fields) => self.header_done(fields),
                None => Ok(Step::Starved),
            },
            State::ContentStart | State::ContentNext => Ok(self.content_length(input)),
            State::Content(left) => {
                let left = *left;
                Ok(self.content(left, input))
            }
            State::Trailer(section) => match section.read(&mut self.items, input)? {
                Some(fields) => Ok(self.trailer_done(fields)),
                None => Ok(Step::Starved),
            },
            State::Padding => padding(input),
        }
    }

    fn framing<'a>(&mut self, input: &mut &[u8]) -> Result<Step<'a>, BhttpError> {
        let Some((indicator, _)) = self.items.integer(input) else {
            return Ok(Step::Starved);
        };
        self.known_length = indicator < 2;
        self.state = match (self.kind, indicator) {
            (Kind::Request, 0 | 2) => State::Control,
            (Kind::Response, 1 | 3) => State::Status,
            _ => return Err(BhttpError::Framing),
        };
        Ok(Step::Progress)
    }

    fn control<'a>(&mut self, input: &mut &[u8]) -> Result<Step<'a>, BhttpError> {
        let Some(item) = self.items.string(MAX_CONTROL_BYTES, input)? else {
            return Ok(Step::Starved);
        };
        let part = String::from_utf8(item.bytes.to_vec());
        self.head
            .control
            .push(part.map_err(|_| BhttpError::Control("text"))?);
        if let [method, scheme, authority, path] = self.head.control.as_slice() {
            check_control(&RequestControl {
                method,
                scheme,
                authority,
                path,
            })?;
            self.state = State::Header(self.section());
        }
        Ok(Step::Progress)
    }

    fn status<'a>(&mut self, input: &mut &[u8]) -> Result<Step<'a>, BhttpError> {
        let Some((value, _)) = self.items.integer(input) else {
            return Ok(Step::Starved);
        };
        self.head.status = status(value)?;
        self.state = State::Header(self.section());
        Ok(Step::Progress)
    }

    const fn section(&self) -> Section {
        if self.known_length {
            Section::known_length()
        } else {
            Section::terminated()
        }
    }

    fn header_done<'a>(&mut self, fields: Fields) -> Result<Step<'a>, BhttpError> {
        if self.kind == Kind::Response && self.head.status < 200 {
            return self.informational_done();
        }
        self.state = State::ContentStart;
        let head = std::mem::take(&mut self.head);
        Ok(Step::Event(match <[String; 4]>::try_from(head.control) {
            Ok(control) => Event::Request { control, fields },
            Err(_) => Event::Response {
                status: head.status,
                fields,
            },
        }))
    }

    fn informational_done<'a>(&mut self) -> Result<Step<'a>, BhttpError> {
        self.informational += 1;
        if self.informational > MAX_INFORMATIONAL {
            return Err(BhttpError::TooLarge);
        }
        self.state = State::Status;
        Ok(Step::Progress)
    }

    fn content_length<'a>(&mut self, input: &mut &[u8]) -> Step<'a> {
        let Some((length, _)) = self.items.integer(input) else {
            return Step::Starved;
        };
        self.state = match length {
            0 => State::Trailer(self.section()),
            length => State::Content(length),
        };
        Step::Progress
    }

    fn content<'a>(&mut self, left: u64, input: &mut &'a [u8]) -> Step<'a> {
        if input.is_empty() {
            return Step::Starved;
        }
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let (content, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
        *input = rest;
        self.state = match left.saturating_sub(length as u64) {
            0 if self.known_length => State::Trailer(self.section()),
            0 => State::ContentNext,
            left => State::Content(left),
        };
        Step::Event(Event::Content(content))
    }

    fn trailer_done<'a>(&mut self, fields: Fields) -> Step<'a> {
        self.state = State::Padding;
        Step::Event(Event::Trailers(fields))
    }
}

fn padding<'a>(input: &mut &[u8]) -> Result<Step<'a>, BhttpError> {
    if input.iter().any(|byte| *byte != 0) {
        return Err(BhttpError::Padding);
    }
    *input = &[];
    Ok(Step::Starved)
}
