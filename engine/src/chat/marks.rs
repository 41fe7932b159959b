//! Marks around messages while the template runs: how the rendered prompt knows whose words are whose.
//!
//! Two noncharacters that occur in no message, tool or call and not in the template stand around each text of these, inside its outer white
//! space (templates trim it). Afterwards they are taken out, and the text between them is somebody's words.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{ChatError, RenderedPrompt, conversation::Conversation};

const CANDIDATES: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

/// The two marks of one rendering.
pub(super) struct Marks {
    open: char,
    close: char,
}

impl Marks {
    /// Marks that nobody has used.
    pub(super) fn unused(
        template: &str,
        conversation: &Conversation<'_>,
    ) -> Result<Self, ChatError> {
        let used = |mark: &char| template.contains(*mark) || conversation.has(*mark);
        let mut free = CANDIDATES.filter(|mark| !used(mark));
        match (free.next(), free.next()) {
            (Some(open), Some(close)) => Ok(Self { open, close }),
            _ => Err(ChatError::Marks),
        }
    }

    /// `content` with its words between marks.
    pub(super) fn around(&self, content: &str) -> Zeroizing<String> {
        let words = content.trim();
        let mut marked = Zeroizing::new(String::with_capacity(content.len().saturating_add(6)));
        let Some((before, after)) = content.split_once(words).filter(|_| !words.is_empty()) else {
            marked.push_str(content);
            return marked;
        };
        marked.push_str(before);
        marked.push(self.open);
        marked.push_str(words);
        marked.push(self.close);
        marked.push_str(after);
        marked
    }

    /// Takes the marks out of a rendering; they must come in pairs.
    pub(super) fn take_out(&self, marked: &str) -> Result<RenderedPrompt, ChatError> {
        let mut prompt = RenderedPrompt {
            text: String::with_capacity(marked.len()),
            words: Vec::new(),
        };
        let mut parts = marked.split(self.open);
        prompt.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (words, after) = part.split_once(self.close).ok_or(ChatError::Entangled)?;
            prompt.push_words(words);
            prompt.text.push_str(after);
        }
        match prompt.text.contains(self.close) {
            true => Err(ChatError::Entangled),
            false => Ok(prompt),
        }
    }
}

impl RenderedPrompt {
    fn push_words(&mut self, words: &str) {
        let start = self.text.len();
        self.text.push_str(words);
        let range: Range<usize> = start..self.text.len();
        self.words.push(range);
    }
}
