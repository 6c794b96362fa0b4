// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ShareLib} from "../../contracts/libraries/ShareLib.sol";
import {TrustLib} from "../../contracts/libraries/TrustLib.sol";
import {Sizes} from "./Sizes.sol";

/// @title Agreement and shares where products are too large for the solver
contract TrustProperties {
    /// @notice Agreement at any size: credibility * trust > total * (trust - 1), as a division says it without products.
    function test_agreementAtAnySize(uint256 credibility, uint256 total, uint256 trust, uint256 sizes) external pure {
        (credibility, total) = (Sizes.any(credibility, sizes), Sizes.any(total, sizes >> 16));
        if (credibility > total) (credibility, total) = (total, credibility);
        trust = Sizes.any(trust, sizes >> 32);
        if (trust == 0) trust = 1;
        bool enough = credibility > 0 && (trust == 1 || total - credibility <= (credibility - 1) / (trust - 1));
        assert(TrustLib.isAgreed(credibility, total, trust) == enough);
    }

    /// @notice Two results are never agreed on at once, at any size, close to the bar as well.
    function test_twoAreNeverAgreedOn(uint256 one, uint256 total, uint256 trust, uint256 sizes) external pure {
        (one, total) = (Sizes.any(one, sizes), Sizes.any(total, sizes >> 16));
        if (one > total) (one, total) = (total, one);
        trust = Sizes.any(trust, sizes >> 32);
        if (trust < 2) trust = 2;
        assert(!TrustLib.isAgreed(one, total, trust) || !TrustLib.isAgreed(total - one, total, trust));
        uint256 half = total / 2;
        assert(!TrustLib.isAgreed(half, total, trust) || !TrustLib.isAgreed(total - half, total, trust));
    }

    /// @notice Agreement of every credibility up to 24 of every total up to 24 for every trust up to 24.
    function test_agreementOfSmallNumbers() external pure {
        for (uint256 total = 0; total <= 24; ++total) {
            for (uint256 credibility = 0; credibility <= total; ++credibility) {
                for (uint256 trust = 1; trust <= 24; ++trust) {
                    bool enough = credibility * trust > total * (trust - 1);
                    assert(TrustLib.isAgreed(credibility, total, trust) == enough);
                }
            }
        }
    }

    /// @notice The total is one and all credibilities, or the contribution is refused.
    function test_theTotalIsExact(uint256[8] calldata values, uint256 sizes) external view {
        uint256[] memory credibilities = new uint256[](8);
        uint256 expected = 1;
        bool fits = true;
        for (uint256 i = 0; i < 8; ++i) {
            credibilities[i] = Sizes.any(values[i], sizes >> (16 * i));
            fits = fits && credibilities[i] <= type(uint256).max - expected;
            if (fits) expected += credibilities[i];
        }
        try this.totalOf(credibilities) returns (uint256 total) {
            assert(fits && total == expected);
        } catch {
            assert(!fits);
        }
    }

    /// @notice A credibility is the product of its weights, or the contribution is refused.
    function test_joiningIsExact(uint256 credibility, uint256 weight, uint256 sizes) external view {
        (credibility, weight) = (Sizes.any(credibility, sizes), Sizes.any(weight, sizes >> 16));
        uint256 factor = credibility == 0 ? 1 : credibility;
        bool fits = weight == 0 || factor <= type(uint256).max / weight;
        try this.join(credibility, weight) returns (uint256 joined) {
            assert(fits && joined == factor * weight);
        } catch {
            assert(!fits);
        }
    }

    /// @notice Up to 64 workers of any scores get together no more than there is to share, and rounding takes from each
    /// less than one unit.
    function test_sharesOfManyWorkers(uint64[64] calldata scores, uint8 count, uint96 amount) external pure {
        uint256 workers = 1 + (count % 64);
        uint256 totalWeight;
        for (uint256 i = 0; i < workers; ++i) {
            totalWeight += _weight(scores[i]);
        }
        uint256 paid;
        for (uint256 i = 0; i < workers; ++i) {
            paid += ShareLib.weightedOf(amount, _weight(scores[i]), totalWeight);
        }
        assert(paid <= amount && amount - paid < workers);
    }

    function totalOf(uint256[] calldata credibilities) external pure returns (uint256) {
        return TrustLib.totalOf(credibilities);
    }

    function join(uint256 credibility, uint256 weight) external pure returns (uint256) {
        return TrustLib.join(credibility, weight);
    }

    function _weight(uint64 score) private pure returns (uint256) {
        return TrustLib.rewardWeightOf(TrustLib.weightOf(score));
    }
}
