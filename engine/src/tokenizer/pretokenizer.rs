//! Pre-tokenizers: the rules that cut text before byte-pair merging, by the names that `tokenizer.ggml.pre` has.
//!
//! Every rule takes one piece off the front of a text and looks no further than a run of characters needs, so cutting is linear.

mod class;
mod gpt2;
mod isolate;
mod llama3;
mod tekken;

use isolate::{NoLimit, Single, isolate};

/// How a model cuts text before merging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreTokenizer {
    /// Punctuation runs, then GPT-2's rules, then numbers alone, their ASCII digits in threes.
    Default,
    /// GPT-2's rules.
    Gpt2,
    /// Llama 3: words with one character before them, numbers of up to three characters.
    Llama3,
    /// Qwen 2, 2.5 and 3: as Llama 3, every number character alone.
    Qwen2,
    /// Every number character alone, GPT-2's rules on what lies between.
    Smollm,
    /// Mistral's tekken: as Qwen 2, words cut where lower case is followed by upper case, no contractions.
    Tekken,
}

impl PreTokenizer {
    /// The pre-tokenizer of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::Default),
            "gpt-2" => Some(Self::Gpt2),
            "llama-bpe" | "llama3" | "llama-v3" => Some(Self::Llama3),
            "qwen2" | "deepseek-r1-qwen" => Some(Self::Qwen2),
            "smollm" => Some(Self::Smollm),
            "tekken" => Some(Self::Tekken),
            _ => None,
        }
    }

    /// Whether a piece that is a token is taken whole, before any merging.
    pub(super) fn takes_whole_pieces(self) -> bool {
        matches!(self, Self::Llama3 | Self::Tekken)
    }

    /// Whether a prompt begins with the beginning-of-sequence token unless the file says otherwise.
    pub(super) fn adds_bos(self) -> bool {
        matches!(self, Self::Llama3 | Self::Tekken)
    }

    /// The pieces of `text`, in order, without gaps.
    pub(super) fn pieces(self, text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Default => Box::new(
                cut(text, |t| isolate(t, class::is_marked, NoLimit))
                    .flat_map(|part| cut(part, gpt2::first))
                    .flat_map(|part| cut(part, |t| isolate(t, class::is_number, NoLimit)))
                    .flat_map(|part| cut(part, isolate::three_digits)),
            ),
            Self::Gpt2 => Box::new(cut(text, gpt2::first)),
            Self::Llama3 => Box::new(cut(text, |t| llama3::first(t, 3))),
            Self::Qwen2 => Box::new(cut(text, |t| llama3::first(t, 1))),
            Self::Smollm => Box::new(
                cut(text, |t| isolate(t, class::is_number, Single))
                    .flat_map(|part| cut(part, gpt2::first)),
            ),
            Self::Tekken => Box::new(cut(text, tekken::first)),
        }
    }
}

/// Cuts `text` by `first`, which gives the bytes of the first piece of a text, 0 only for an empty one.
fn cut(text: &str, first: impl Fn(&str) -> usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at_checked(first(rest))?;
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pre: PreTokenizer, text: &str) -> Vec<&str> {
        pre.pieces(text).collect()
    }

    #[test]
    fn smollm_words_take_one_space() {
        let cut = |text| cut(PreTokenizer::Smollm, text);
        assert_eq!(cut("a  b\n c"), ["a", " ", " b", "\n", " c"]);
        assert_eq!(cut(" a!? b"), [" a", "!?", " b"]);
        assert_eq!(cut("a \n\n"), ["a", " \n\n"]);
    }

    #[test]
    fn smollm_numbers_stand_alone() {
        let cut = |text| cut(PreTokenizer::Smollm, text);
        assert_eq!(cut("a12 3"), ["a", "1", "2", " ", "3"]);
        assert_eq!(cut("x   ½"), ["x", "   ", "½"]);
    }

    #[test]
    fn gpt2_contractions_are_lower_case_and_ascii() {
        let cut = |text| cut(PreTokenizer::Gpt2, text);
        assert_eq!(cut("I'll 'S"), ["I", "'ll", " '", "S"]);
        assert_eq!(cut("a1234  56"), ["a", "1234", " ", " 56"]);
    }

    #[test]
    fn default_cuts_punctuation_and_threes() {
        let cut = |text| cut(PreTokenizer::Default, text);
        assert_eq!(cut("a'll 12345"), ["a", "'", "ll", " ", "123", "45"]);
        assert_eq!(cut("1٣234!?="), ["1٣", "234", "!?="]);
    }

    #[test]
    fn llama3_takes_threes_and_newlines() {
        let cut = |text| cut(PreTokenizer::Llama3, text);
        assert_eq!(
            cut("I'LL (go) 12345"),
            ["I", "'LL", " (", "go", ")", " ", "123", "45"]
        );
        assert_eq!(cut("a!\r\n\n  \n b"), ["a", "!\r\n\n", "  \n", " b"]);
        assert_eq!(cut("\tx  y  "), ["\tx", " ", " y", "  "]);
    }

    #[test]
    fn qwen2_takes_single_numbers() {
        assert_eq!(
            cut(PreTokenizer::Qwen2, "in 2024"),
            ["in", " ", "2", "0", "2", "4"]
        );
    }

    #[test]
    fn tekken_cuts_where_case_rises() {
        let cut = |text| cut(PreTokenizer::Tekken, text);
        assert_eq!(cut("helloWorld HTTP"), ["hello", "World", " HTTP"]);
        assert_eq!(cut("HTTPServer éABC"), ["HTTPServer", " é", "ABC"]);
        assert_eq!(cut("a //\n/b don't"), ["a", " //\n/", "b", " don", "'t"]);
    }

    #[test]
    fn unknown_names_are_none() {
        assert_eq!(PreTokenizer::named("qwen35"), None);
        assert_eq!(PreTokenizer::named(""), None);
    }
}
