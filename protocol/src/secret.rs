//! Where secrets rest between the calls that use them: the identity's seed, and the private keys of each epoch. This crate knows the
//! heap alone; an embedder may have memory that other processes and core dumps do not see.

use zeroize::Zeroizing;

/// Memory for secrets at rest.
pub trait SecretMemory: Send + Sync {
    /// Keeps a copy of `secret`; the caller wipes its own.
    fn keep(&self, secret: &[u8]) -> Box<dyn KeptSecret>;
}

/// One secret at rest. Wiped on drop; implementations have no Debug, Clone or Serialize.
pub trait KeptSecret: Send + Sync {
    /// The bytes, where they rest: copies of them live for one call and are wiped.
    fn expose(&self) -> &[u8];
}

/// The heap, for whoever has nothing better: clients and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap;

impl SecretMemory for Heap {
    fn keep(&self, secret: &[u8]) -> Box<dyn KeptSecret> {
        Box::new(OnHeap(Zeroizing::new(secret.into())))
    }
}

struct OnHeap(Zeroizing<Box<[u8]>>);

impl KeptSecret for OnHeap {
    fn expose(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_keeps_what_it_is_given() {
        for secret in [&[][..], &[7; 32], &[8; 2432]] {
            assert_eq!(Heap.keep(secret).expose(), secret);
        }
    }
}
