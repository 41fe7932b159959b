//! Freshness: the Merkle root of the nonces of the clients now waiting (RFC 9162 section 2.1 hashing, SHA-256).

use crate::{Digest, crypto};

/// What a client invents for one challenge: 32 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 32]);

/// The Merkle root that went into report_data. For one nonce it is that nonce's leaf hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness(pub Digest);

/// Inclusion path of one nonce (RFC 9162 section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoncePath {
    /// Index of the leaf.
    pub index: u64,
    /// Number of leaves.
    pub size: u64,
    /// Sibling hashes, bottom first; at most 32.
    pub siblings: Vec<Digest>,
}

/// Longest inclusion path: four billion clients waiting for one quote.
pub(crate) const MAX_SIBLINGS: usize = 32;

impl Freshness {
    /// The root over a single nonce.
    #[must_use]
    pub fn of_one(nonce: &Nonce) -> Self {
        Self(leaf(nonce))
    }

    /// The root and every nonce's path; `None` for an empty list.
    #[must_use]
    pub fn of_many(nonces: &[Nonce]) -> Option<(Self, Vec<NoncePath>)> {
        let leaves: Vec<Digest> = nonces.iter().map(leaf).collect();
        let mut paths = vec![Vec::new(); leaves.len()];
        let root = root(&leaves, &mut paths)?;
        let size = leaves.len() as u64;
        let path = |(index, siblings)| NoncePath {
            index,
            size,
            siblings,
        };
        Some((Self(root), (0..).zip(paths).map(path).collect()))
    }

    /// Whether `path` proves that `nonce` is under this root.
    #[must_use]
    pub fn includes(&self, nonce: &Nonce, path: &NoncePath) -> bool {
        path.siblings.len() <= MAX_SIBLINGS && path.root_over(leaf(nonce)) == Some(self.0)
    }
}

impl NoncePath {
    /// The root that this path leads to from `leaf`: the algorithm of RFC 9162 section 2.1.3.2, in its variables' names.
    fn root_over(&self, leaf: Digest) -> Option<Digest> {
        let mut f_n = self.index;
        let mut s_n = self.size.checked_sub(1)?;
        if f_n > s_n {
            return None;
        }
        let mut r = leaf;
        for p in &self.siblings {
            if s_n == 0 {
                return None;
            }
            if f_n & 1 == 1 || f_n == s_n {
                r = node(p, &r);
                let shift = f_n.trailing_zeros().min(63);
                (f_n, s_n) = (f_n >> shift, s_n >> shift);
            } else {
                r = node(&r, p);
            }
            (f_n, s_n) = (f_n >> 1, s_n >> 1);
        }
        (s_n == 0).then_some(r)
    }
}

fn leaf(nonce: &Nonce) -> Digest {
    crypto::sha256(&[&[0][..], &nonce.0].concat())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    crypto::sha256(&[&[1][..], left, right].concat())
}

/// MTH of RFC 9162 section 2.1.1 over `leaves`; appends to each leaf's path the sibling met on the way up.
// R1.2
fn root(leaves: &[Digest], paths: &mut [Vec<Digest>]) -> Option<Digest> {
    if let [one] = leaves {
        return Some(*one);
    }
    let k = leaves
        .len()
        .checked_sub(1)?
        .checked_ilog2()
        .map(|log| 1 << log)?;
    let (left_leaves, right_leaves) = leaves.split_at_checked(k)?;
    let (left_paths, right_paths) = paths.split_at_mut_checked(k)?;
    let left = root(left_leaves, left_paths)?;
    let right = root(right_leaves, right_paths)?;
    left_paths.iter_mut().for_each(|path| path.push(right));
    right_paths.iter_mut().for_each(|path| path.push(left));
    Some(node(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::{Freshness, Nonce, NoncePath, leaf, node};

    fn nonces(count: u8) -> Vec<Nonce> {
        (0..count).map(|byte| Nonce([byte; 32])).collect()
    }

    /// R1.2.
    #[test]
    fn one_nonce_is_its_leaf() {
        let nonce = Nonce([5; 32]);
        let (root, paths) = Freshness::of_many(&[nonce]).unwrap();
        assert_eq!(root, Freshness::of_one(&nonce));
        assert!(root.includes(&nonce, &paths[0]));
        assert!(paths[0].siblings.is_empty());
    }

    #[test]
    fn three_nonces_make_the_tree_of_the_rfc() {
        let nonces = nonces(3);
        let [a, b, c] = [leaf(&nonces[0]), leaf(&nonces[1]), leaf(&nonces[2])];
        let (root, paths) = Freshness::of_many(&nonces).unwrap();
        assert_eq!(root.0, node(&node(&a, &b), &c));
        assert_eq!(paths[2].siblings, vec![node(&a, &b)]);
    }

    #[test]
    fn every_path_proves_its_own_nonce_only() {
        for count in 1..=33 {
            let nonces = nonces(count);
            let (root, paths) = Freshness::of_many(&nonces).unwrap();
            for (i, path) in paths.iter().enumerate() {
                for (j, nonce) in nonces.iter().enumerate() {
                    assert_eq!(root.includes(nonce, path), i == j, "{count} {i} {j}");
                }
            }
        }
    }

    #[test]
    fn no_nonces_have_no_root() {
        assert!(Freshness::of_many(&[]).is_none());
    }

    #[test]
    fn a_damaged_path_proves_nothing() {
        let nonces = nonces(7);
        let (root, paths) = Freshness::of_many(&nonces).unwrap();
        let good = &paths[4];
        let damage: [fn(&mut NoncePath); 8] = [
            |path| path.index = 5,
            |path| path.index = 7,
            |path| path.index = u64::MAX,
            |path| path.size = 0,
            |path| path.size = 4,
            |path| path.siblings.push([0; 32]),
            |path| path.siblings.truncate(2),
            |path| path.siblings[1][0] ^= 1,
        ];
        for (number, damage) in damage.iter().enumerate() {
            let mut path = good.clone();
            damage(&mut path);
            assert!(!root.includes(&nonces[4], &path), "{number}");
        }
    }

    #[test]
    fn an_inner_node_is_no_nonce() {
        let pair = nonces(2);
        let (root, _) = Freshness::of_many(&pair).unwrap();
        let empty = NoncePath {
            index: 0,
            size: 1,
            siblings: Vec::new(),
        };
        assert!(!root.includes(&Nonce(root.0), &empty));
    }
}
