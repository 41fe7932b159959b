//! How the client stands with each node on offer: the gateway's order, admissions, refusals, back-offs. No I/O and no clock.

use attestation::UnixTime;
use session::{AdmittedNode, Offer};
use std::{collections::HashMap, sync::Arc};

/// Offers older than this are asked for again, beside the requests: their order is the gateway's word on which node has the least work.
const OFFERS_FRESH_SECONDS: u64 = 10;
/// Refused evidence is not asked for again before this has passed, unless a request waits for a node.
const REFUSED_SECONDS: u64 = 60;
/// A node that was lost is set aside for this long at first, twice as long each further time.
const BACK_OFF_SECONDS: u64 = 5;
const MAX_BACK_OFF_SECONDS: u64 = 300;

/// What a request needs of a node.
#[derive(Clone, Copy, Default)]
pub(crate) struct Want<'a> {
    /// The model that it must attest.
    pub(crate) model: Option<&'a str>,
    /// This node and no other.
    pub(crate) only: Option<&'a str>,
    /// Nodes that this request has tried.
    pub(crate) failed: &'a [String],
}

/// The nodes of one gateway.
#[derive(Default)]
pub(crate) struct Nodes {
    offers: Vec<Offer>,
    asked_at: Option<UnixTime>,
    standings: HashMap<String, Standing>,
}

#[derive(Default)]
struct Standing {
    admitted: Option<Arc<AdmittedNode>>,
    /// Code of the last trouble that the user was told of.
    trouble: Option<&'static str>,
    /// Nothing is asked of it before, unless a request waits and there is no other.
    set_aside_until: Option<UnixTime>,
    /// Its evidence was refused since it was last asked.
    is_refused: bool,
    losses: u32,
    /// Held by the one task that challenges it or asks it for keys.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Want<'_> {
    fn may_be(&self, offer: &Offer) -> bool {
        let is_wanted = self.only.is_none_or(|only| only == offer.node);
        is_wanted && !self.failed.contains(&offer.node)
    }
}

impl Nodes {
    /// Whether the offers are to be asked for again.
    pub(crate) fn are_offers_stale(&self, now: UnixTime) -> bool {
        self.asked_at
            .is_none_or(|asked| now.since(asked) >= OFFERS_FRESH_SECONDS)
    }

    /// The offers are being asked for.
    pub(crate) fn ask(&mut self, now: UnixTime) {
        self.asked_at = Some(now);
    }

    /// Takes new offers; what is not on offer any more is forgotten. Tells whether other nodes are on offer than before.
    pub(crate) fn offer(&mut self, offers: Vec<Offer>) -> Changed {
        let names = |offers: &[Offer]| {
            let mut names: Vec<String> = offers.iter().map(|offer| offer.node.clone()).collect();
            names.sort_unstable();
            names
        };
        let (before, after) = (names(&self.offers), names(&offers));
        self.standings
            .retain(|name, _| after.binary_search(name).is_ok());
        self.offers = offers;
        if before == after {
            Changed::No
        } else {
            Changed::Yes
        }
    }

    /// The best node that can be sealed to at once.
    pub(crate) fn ready(&self, want: &Want<'_>, now: UnixTime) -> Option<Arc<AdmittedNode>> {
        let mut ready = self.usable(want, now);
        ready.find(|node| !self.is_set_aside(node.name(), now))
    }

    /// The best node that is admitted, even if it was lost a moment ago.
    pub(crate) fn last_resort(&self, want: &Want<'_>, now: UnixTime) -> Option<Arc<AdmittedNode>> {
        self.usable(want, now).next()
    }

    /// A usable node that serves another model than the wanted one.
    pub(crate) fn of_another_model(
        &self,
        want: &Want<'_>,
        now: UnixTime,
    ) -> Option<Arc<AdmittedNode>> {
        let any = Want {
            model: None,
            ..*want
        };
        self.usable(&any, now).next()
    }

    /// Offers of nodes that are not admitted and that a waiting request may try: first those without trouble.
    pub(crate) fn to_try(&self, want: &Want<'_>, now: UnixTime) -> Vec<Offer> {
        let offers = self.offers.iter().filter(|offer| want.may_be(offer));
        let mut offers: Vec<Offer> = offers
            .filter(|offer| self.usable_node(&offer.node, now).is_none())
            .cloned()
            .collect();
        offers.sort_by_key(|offer| self.is_set_aside(&offer.node, now));
        offers
    }

    /// The names of all nodes on offer, those that can be sealed to at once first.
    pub(crate) fn on_offer(&self, now: UnixTime) -> Vec<String> {
        let any = Want::default();
        let usable = self.usable(&any, now).map(|node| node.name().to_owned());
        let others = self.to_try(&any, now).into_iter().map(|offer| offer.node);
        usable.chain(others).collect()
    }

    /// Offers of nodes that are not admitted and gave no trouble lately.
    pub(crate) fn spare(&self, now: UnixTime) -> Vec<Offer> {
        let mut offers = self.to_try(&Want::default(), now);
        offers.retain(|offer| !self.is_set_aside(&offer.node, now));
        offers
    }

    /// How many nodes can be sealed to at once.
    pub(crate) fn ready_count(&self, now: UnixTime) -> usize {
        self.usable(&Want::default(), now)
            .filter(|node| !self.is_set_aside(node.name(), now))
            .count()
    }

    /// Admitted nodes whose keys or admission end soon.
    pub(crate) fn due(&self, now: UnixTime) -> Vec<Arc<AdmittedNode>> {
        let mut due = self.all_admitted();
        due.retain(|node| now >= self.renewal_of(node));
        due
    }

    /// When the next node is due.
    pub(crate) fn next_renewal(&self) -> Option<UnixTime> {
        let admitted = self.all_admitted();
        admitted.iter().map(|node| self.renewal_of(node)).min()
    }

    /// The admission of `name`, usable or not.
    pub(crate) fn admitted(&self, name: &str) -> Option<Arc<AdmittedNode>> {
        self.standings.get(name)?.admitted.clone()
    }

    /// The lock of whoever asks `name` for evidence or keys.
    pub(crate) fn turn(&mut self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.standing(name).turn)
    }

    /// `node` is admitted, or has new keys.
    pub(crate) fn admit(&mut self, node: Arc<AdmittedNode>) {
        let name = node.name().to_owned();
        let standing = self.standing(&name);
        standing.admitted = Some(node);
        standing.is_refused = false;
        standing.trouble = None;
        standing.set_aside_until = None;
    }

    /// `old` has been judged again, unless it was replaced meanwhile.
    pub(crate) fn replace(&mut self, old: &Arc<AdmittedNode>, new: Arc<AdmittedNode>) {
        let standing = self.standing(old.name());
        let is_old = |current: &Arc<AdmittedNode>| Arc::ptr_eq(current, old);
        if standing.admitted.as_ref().is_some_and(is_old) {
            standing.admitted = Some(new);
        }
    }

    /// Other documents are in force: what they refused before is asked again. Nodes that did not answer stay set aside.
    pub(crate) fn reconsider(&mut self) {
        for standing in self.standings.values_mut() {
            if standing.is_refused {
                standing.is_refused = false;
                standing.set_aside_until = None;
            }
        }
    }

    /// The evidence of `name` was refused with `code`: it is left out. Tells whether that is news.
    pub(crate) fn refuse(&mut self, name: &str, code: &'static str, now: UnixTime) -> Changed {
        let standing = self.standing(name);
        standing.admitted = None;
        standing.is_refused = true;
        standing.set_aside_until = Some(now.plus(REFUSED_SECONDS));
        standing.note(code)
    }

    /// `name` did not answer, with `code`, or broke off: others go first for a while. Tells whether that is news.
    pub(crate) fn set_aside(&mut self, name: &str, code: &'static str, now: UnixTime) -> Changed {
        let standing = self.standing(name);
        let doubled = BACK_OFF_SECONDS.saturating_mul(1 << standing.losses.min(16));
        standing.losses = standing.losses.saturating_add(1);
        standing.set_aside_until = Some(now.plus(doubled.min(MAX_BACK_OFF_SECONDS)));
        standing.note(code)
    }

    /// `name` gave a whole answer.
    pub(crate) fn answered(&mut self, name: &str) {
        let standing = self.standing(name);
        standing.losses = 0;
        standing.trouble = None;
        standing.set_aside_until = None;
    }

    /// Admitted nodes that fit, in the gateway's order.
    fn usable(&self, want: &Want<'_>, now: UnixTime) -> impl Iterator<Item = Arc<AdmittedNode>> {
        let offers = self.offers.iter().filter(|offer| want.may_be(offer));
        let nodes = offers.filter_map(move |offer| self.usable_node(&offer.node, now));
        nodes.filter(|node| node.serves(want.model))
    }

    /// Every admission, usable or not.
    pub(crate) fn all_admitted(&self) -> Vec<Arc<AdmittedNode>> {
        let offers = self.offers.iter();
        let admitted = offers.filter_map(|offer| self.admitted(&offer.node));
        admitted.collect()
    }

    fn usable_node(&self, name: &str, now: UnixTime) -> Option<Arc<AdmittedNode>> {
        self.admitted(name).filter(|node| node.is_usable(now))
    }

    fn is_set_aside(&self, name: &str, now: UnixTime) -> bool {
        let until = self.standings.get(name).and_then(|s| s.set_aside_until);
        until.is_some_and(|until| now < until)
    }

    /// Not before a node that gave trouble may be asked again.
    fn renewal_of(&self, node: &AdmittedNode) -> UnixTime {
        let standing = self.standings.get(node.name());
        let asked_again = standing.and_then(|standing| standing.set_aside_until);
        asked_again.map_or(node.renew_at(), |at| at.max(node.renew_at()))
    }

    fn standing(&mut self, name: &str) -> &mut Standing {
        self.standings.entry(name.to_owned()).or_default()
    }
}

/// Whether there is something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Yes,
    No,
}

impl Standing {
    fn note(&mut self, code: &'static str) -> Changed {
        if self.trouble.replace(code) == Some(code) {
            Changed::No
        } else {
            Changed::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn offers(names: &[&str]) -> Vec<Offer> {
        let offer = |name: &&str| Offer {
            node: (*name).to_owned(),
            relay: String::new(),
            challenge: String::new(),
            keys: String::new(),
            weight: 1,
        };
        names.iter().map(offer).collect()
    }

    fn nodes(names: &[&str]) -> Nodes {
        let mut nodes = Nodes::default();
        assert_eq!(nodes.offer(offers(names)), Changed::Yes);
        nodes
    }

    fn names(offers: &[Offer]) -> Vec<&str> {
        offers.iter().map(|offer| offer.node.as_str()).collect()
    }

    #[test]
    fn offers_in_another_order_are_no_news() {
        let mut nodes = nodes(&["a", "b"]);
        assert_eq!(nodes.offer(offers(&["b", "a"])), Changed::No);
        assert_eq!(names(&nodes.spare(NOW)), ["b", "a"]);
        assert_eq!(nodes.offer(offers(&["b"])), Changed::Yes);
    }

    #[test]
    fn offers_grow_stale() {
        let mut nodes = Nodes::default();
        assert!(nodes.are_offers_stale(NOW));
        nodes.ask(NOW);
        assert!(!nodes.are_offers_stale(NOW.plus(9)));
        assert!(nodes.are_offers_stale(NOW.plus(10)));
    }

    #[test]
    fn refused_evidence_is_told_once_and_left_out_for_a_while() {
        let mut nodes = nodes(&["a", "b"]);
        assert_eq!(nodes.refuse("a", "snp.signature", NOW), Changed::Yes);
        assert_eq!(names(&nodes.spare(NOW.plus(59))), ["b"]);
        assert_eq!(names(&nodes.spare(NOW.plus(60))), ["a", "b"]);
        assert_eq!(nodes.refuse("a", "snp.signature", NOW), Changed::No);
        assert_eq!(nodes.refuse("a", "policy.denied", NOW), Changed::Yes);
        let waiting = nodes.to_try(&Want::default(), NOW);
        assert_eq!(
            names(&waiting),
            ["b", "a"],
            "a waiting request tries it last"
        );
    }

    #[test]
    fn back_off_doubles_up_to_its_limit_and_ends_with_an_answer() {
        let mut nodes = nodes(&["a"]);
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            nodes.set_aside("a", "gateway.unavailable", NOW);
            assert!(nodes.is_set_aside("a", NOW.plus(seconds - 1)), "{seconds}");
            assert!(!nodes.is_set_aside("a", NOW.plus(seconds)), "{seconds}");
        }
        nodes.answered("a");
        assert!(!nodes.is_set_aside("a", NOW));
        nodes.set_aside("a", "gateway.unavailable", NOW);
        assert!(!nodes.is_set_aside("a", NOW.plus(5)));
    }

    #[test]
    fn what_is_not_on_offer_any_more_is_forgotten() {
        let mut nodes = nodes(&["a", "b"]);
        nodes.refuse("a", "snp.signature", NOW);
        nodes.offer(offers(&["b"]));
        nodes.offer(offers(&["a", "b"]));
        assert_eq!(nodes.refuse("a", "snp.signature", NOW), Changed::Yes);
    }

    #[test]
    fn a_request_tries_no_node_twice_and_only_the_one_it_names() {
        let nodes = nodes(&["a", "b", "c"]);
        let failed = ["b".to_owned()];
        let want = Want {
            failed: &failed,
            ..Want::default()
        };
        assert_eq!(names(&nodes.to_try(&want, NOW)), ["a", "c"]);
        let want = Want {
            only: Some("c"),
            ..want
        };
        assert_eq!(names(&nodes.to_try(&want, NOW)), ["c"]);
    }
}
