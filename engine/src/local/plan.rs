//! How the tokens of a step are shared out.

use crate::{TenantId, decoder::MAX_STEP_TOKENS};

/// Prompt tokens that are given out at a time, and at least to prompts in each step.
const QUANTUM: usize = 16;

/// What a running sequence could take.
#[derive(Clone, Copy)]
pub(super) struct Demand {
    pub(super) tenant: TenantId,
    /// Tokens that are not computed; one while the answer is made.
    pub(super) pending: usize,
    /// The last step it had a part in, or the one it came before.
    pub(super) last_step: u64,
}

/// Tokens for each sequence, oldest first: one for every answer, then up to `step_tokens` in all for prompts, shared among the
/// tenants. Whom a step has no room for comes before the others in the next.
pub(super) fn share(demands: &[Demand], step_tokens: usize) -> Vec<usize> {
    let mut shares = vec![0; demands.len()];
    let answers = share_answers(demands, &mut shares);
    let most = MAX_STEP_TOKENS - answers;
    let budget = step_tokens.saturating_sub(answers).max(QUANTUM).min(most);
    share_prompts(demands, &mut shares, budget);
    shares
}

/// Gives how many there are.
fn share_answers(demands: &[Demand], shares: &mut [usize]) -> usize {
    let answers = demands.iter().zip(shares).filter(|(d, _)| d.pending == 1);
    let mut answers: Vec<_> = answers.collect();
    answers.sort_by_key(|(demand, _)| demand.last_step);
    answers.truncate(MAX_STEP_TOKENS - QUANTUM);
    answers.iter_mut().for_each(|(_, share)| **share = 1);
    answers.len()
}

fn share_prompts(demands: &[Demand], shares: &mut [usize], mut budget: usize) {
    let tenants = prompting(demands);
    loop {
        let before = budget;
        for tenant in &tenants {
            let mut own = demands.iter().zip(&mut *shares);
            let hungry = |(demand, share): &(&Demand, &mut usize)| {
                demand.tenant == *tenant && demand.pending > 1 && **share < demand.pending
            };
            if let Some((demand, share)) = own.find(hungry) {
                let more = QUANTUM.min(demand.pending - *share).min(budget);
                *share += more;
                budget -= more;
            }
        }
        if budget == 0 || budget == before {
            return;
        }
    }
}

/// The tenants who have prompts, whoever had none of a step for longest first.
fn prompting(demands: &[Demand]) -> Vec<TenantId> {
    let mut tenants: Vec<(TenantId, u64)> = Vec::new();
    for demand in demands.iter().filter(|demand| demand.pending > 1) {
        match tenants
            .iter_mut()
            .find(|(tenant, _)| *tenant == demand.tenant)
        {
            Some((_, last_step)) => *last_step = demand.last_step.max(*last_step),
            None => tenants.push((demand.tenant, demand.last_step)),
        }
    }
    tenants.sort_by_key(|(_, last_step)| *last_step);
    tenants.into_iter().map(|(tenant, _)| tenant).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn demand(tenant: u8, pending: usize, last_step: u64) -> Demand {
        let tenant = TenantId([tenant; 32]);
        Demand {
            tenant,
            pending,
            last_step,
        }
    }

    #[test]
    fn answers_come_first_and_prompts_fill_the_rest() {
        let demands = [demand(1, 1, 0), demand(1, 500, 0), demand(2, 1, 0)];
        assert_eq!(share(&demands, 64), [1, 62, 1]);
        assert_eq!(share(&demands, 8), [1, QUANTUM, 1]);
    }

    #[test]
    fn tenants_share_alike_however_many_prompts_they_have() {
        let demands = [
            demand(1, 90, 0),
            demand(1, 90, 0),
            demand(1, 90, 0),
            demand(2, 90, 0),
        ];
        assert_eq!(share(&demands, 128), [64, 0, 0, 64]);
        let demands = [demand(1, 90, 0), demand(2, 20, 0)];
        assert_eq!(share(&demands, 64), [44, 20]);
    }

    #[test]
    fn who_had_none_for_longest_is_first() {
        let demands = [demand(1, 90, 7), demand(2, 90, 5), demand(3, 90, 6)];
        assert_eq!(share(&demands, 16), [0, 16, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_step_holds_what_is_shared_out(
            demands in prop::collection::vec((0..5u8, 1..400usize, 0..9u64), 0..600),
            step_tokens in 1..=MAX_STEP_TOKENS,
        ) {
            let demands: Vec<_> = demands.into_iter().map(|(t, p, l)| demand(t, p, l)).collect();
            let shares = share(&demands, step_tokens);
            prop_assert!(shares.iter().sum::<usize>() <= MAX_STEP_TOKENS);
            prop_assert!(shares.iter().zip(&demands).all(|(share, demand)| *share <= demand.pending));
            prop_assert!(demands.is_empty() || shares.iter().any(|share| *share > 0));
        }

        #[test]
        fn nobody_is_left_out_for_ever(
            demands in prop::collection::vec((0..40u8, 1..40usize), 1..400),
            step_tokens in 1..=MAX_STEP_TOKENS,
        ) {
            let mut demands: Vec<_> = demands.into_iter().map(|(t, p)| demand(t, p, 0)).collect();
            // Answers never end here; every prompt does, whatever else there is to do.
            let tokens: usize = demands.iter().map(|demand| demand.pending).sum();
            for step in 1..=(tokens / QUANTUM + 2 * demands.len()) as u64 {
                let shares = share(&demands, step_tokens);
                for (demand, share) in demands.iter_mut().zip(shares) {
                    demand.pending = (demand.pending - share).max(1);
                    demand.last_step = if share > 0 { step } else { demand.last_step };
                }
            }
            prop_assert!(demands.iter().all(|demand| demand.pending == 1 && demand.last_step > 0));
        }
    }
}
