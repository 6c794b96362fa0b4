// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {TrustLib} from "../contracts/libraries/TrustLib.sol";

/// @title Trust: when enough workers agree
/// @notice Where products of credibilities and trust take part, they are below 2^128 and 2^64: the solver cannot decide
/// more. Beyond, there are the properties of test/proofs/Trust.t.sol.
contract Trust {
    /// @notice Nobody's word weighs less than 2.
    function everyWordWeighs(uint256 score) external pure {
        assert(TrustLib.weightOf(score) >= 2);
    }

    /// @notice A weight fits the 64 bits that a contribution has for it.
    function aWeightFitsItsPlace(uint64 score) external pure {
        assert(TrustLib.weightOf(score) <= type(uint64).max);
    }

    /// @notice Who was right more often does not weigh less.
    function aWeightGrowsWithTheScore(uint256 less, uint256 more) external pure {
        require(less <= more);
        assert(TrustLib.weightOf(less) <= TrustLib.weightOf(more));
    }

    /// @notice Everybody who was right has a share: its weight is not zero, which marks who was not.
    function everybodyHasAShare(uint64 score) external pure {
        assert(TrustLib.rewardWeightOf(TrustLib.weightOf(score)) > 0);
    }

    /// @notice The weight of a share is below 64, so that those of 64 workers fit what the proofs of Shares suppose.
    function sharesAreSmall(uint64 score) external pure {
        assert(TrustLib.rewardWeightOf(TrustLib.weightOf(score)) < 64);
    }

    /// @notice One more worker makes a result more credible.
    function joiningGrows(uint256 credibility, uint256 weight) external pure {
        require(weight >= 2);
        assert(TrustLib.join(credibility, weight) > credibility);
    }

    /// @notice The first worker's weight is the credibility of the result.
    function theFirstCounts(uint256 weight) external pure {
        assert(TrustLib.join(0, weight) == weight);
    }

    /// @notice Joining multiplies.
    function joiningMultiplies(uint128 credibility, uint64 weight) external pure {
        require(credibility > 0);
        assert(TrustLib.join(credibility, weight) == uint256(credibility) * weight);
    }

    /// @notice With a trust of 1, every contribution is enough.
    function oneIsEnoughWithoutTrust(uint256 credibility, uint256 total) external pure {
        assert(TrustLib.isAgreed(credibility, total, 1) == (credibility > 0));
    }

    /// @notice Agreement is when credibility * trust > total * (trust - 1).
    function agreementIsTheInequality(uint128 credibility, uint128 total, uint64 trust) external pure {
        require(trust >= 1);
        bool enough = uint256(credibility) * trust > uint256(total) * (trust - 1);
        assert(TrustLib.isAgreed(credibility, total, trust) == enough);
    }

    /// @notice Two results are never agreed on at once, if a trust above 1 is asked for.
    function twoAreNeverAgreedOn(uint128 one, uint128 other, uint128 total, uint64 trust) external pure {
        require(trust >= 2 && uint256(one) + other <= total);
        assert(!TrustLib.isAgreed(one, total, trust) || !TrustLib.isAgreed(other, total, trust));
    }

    /// @notice A contribution to another result agrees on none that was not agreed on.
    function othersDoNotHelp(uint128 credibility, uint128 total, uint128 more, uint64 trust) external pure {
        require(trust >= 1 && total <= more && !TrustLib.isAgreed(credibility, total, trust));
        assert(!TrustLib.isAgreed(credibility, more, trust));
    }

    /// @notice One more contribution to a result that is agreed on keeps it so.
    function agreementStays(uint64 credibility, uint64 total, uint64 added, uint64 trust) external pure {
        require(trust >= 1 && TrustLib.isAgreed(credibility, total, trust));
        assert(TrustLib.isAgreed(uint256(credibility) + added, uint256(total) + added, trust));
    }

    /// @notice What is enough for much trust is enough for less.
    function lessTrustIsEasier(uint128 credibility, uint128 total, uint64 trust) external pure {
        require(trust >= 1 && credibility <= total && TrustLib.isAgreed(credibility, total, uint256(trust) + 1));
        assert(TrustLib.isAgreed(credibility, total, trust));
    }
}
