// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ShareLib} from "../contracts/libraries/ShareLib.sol";

/// @title Shares: what is paid out is what was paid in
/// @notice Amounts fit 96 bits, as everything that is staked does.
contract Shares {
    /// @notice A hundred hundredths or fewer of an amount are never more than it, and never overflow.
    function aPartIsNeverMore(uint96 amount, uint256 percent) external pure {
        require(percent <= 100);
        assert(ShareLib.percentOf(amount, percent) <= amount);
    }

    /// @notice A hundred hundredths are all of it.
    function allPartsAreAll(uint96 amount) external pure {
        assert(ShareLib.percentOf(amount, 100) == amount);
    }

    /// @notice Of a larger amount, as many hundredths are no less.
    function aPartGrowsWithTheAmount(uint96 less, uint96 more, uint256 percent) external pure {
        require(percent <= 100 && less <= more);
        assert(ShareLib.percentOf(less, percent) <= ShareLib.percentOf(more, percent));
    }

    /// @notice More hundredths of an amount are no less.
    function aPartGrowsWithItsRatio(uint96 amount, uint256 fewer, uint256 more) external pure {
        require(fewer <= more && more <= 100);
        assert(ShareLib.percentOf(amount, fewer) <= ShareLib.percentOf(amount, more));
    }

    /// @notice What rounding takes from a part is less than one unit.
    function roundingTakesLessThanAUnit(uint96 amount, uint256 percent) external pure {
        require(percent <= 100);
        assert((ShareLib.percentOf(amount, percent) + 1) * 100 > amount * percent);
    }

    /// @notice The worker's part of the price and the rest, which is the pool's, are the price.
    function theSplitIsThePrice(uint96 price, uint256 schedulerRewardRatio) external pure {
        require(schedulerRewardRatio <= 100);
        uint256 workerReward = ShareLib.percentOf(price, 100 - schedulerRewardRatio);
        assert(workerReward + (price - workerReward) == price);
    }

    /// @notice The bonus is never more than the kitty holds.
    function theBonusIsInTheKitty(uint96 kitty, uint256 ratio, uint256 minimum, uint96 price) external pure {
        require(ratio <= 100);
        assert(ShareLib.bonusOf(kitty, ratio, minimum, price) <= kitty);
    }

    /// @notice The bonus is never more than the work costs, so that nobody works for the kitty.
    function theBonusIsNotAboveThePrice(uint96 kitty, uint256 ratio, uint256 minimum, uint96 price) external pure {
        require(ratio <= 100);
        assert(ShareLib.bonusOf(kitty, ratio, minimum, price) <= price);
    }

    /// @notice Where kitty and price allow, the bonus is no less than its minimum.
    function theBonusIsNotBelowItsMinimum(uint96 kitty, uint256 ratio, uint256 minimum, uint96 price) external pure {
        require(ratio <= 100 && minimum <= kitty && minimum <= price);
        assert(ShareLib.bonusOf(kitty, ratio, minimum, price) >= minimum);
    }

    /// @notice A weighted share is never more than what is shared.
    function aWeightedShareIsNeverMore(uint96 amount, uint8 weight, uint16 totalWeight) external pure {
        require(0 < totalWeight && weight <= totalWeight);
        assert(ShareLib.weightedOf(amount, weight, totalWeight) <= amount);
    }

    /// @notice However many workers share: if those so far got no more than their weights allow, so did all with one more.
    function oneMoreShareKeepsToTheWeights(
        uint96 amount,
        uint16 totalWeight,
        uint96 paid,
        uint16 weightPaid,
        uint8 weight
    ) external pure {
        require(uint256(weightPaid) + weight <= totalWeight && totalWeight > 0);
        require(uint256(paid) * totalWeight <= uint256(amount) * weightPaid);
        uint256 share = ShareLib.weightedOf(amount, weight, totalWeight);
        assert((paid + share) * totalWeight <= uint256(amount) * (uint256(weightPaid) + weight));
    }

    /// @notice And if they got no more than their weights allow, they got no more than there was to share.
    function sharesByWeightAreNeverMore(
        uint96 amount,
        uint16 totalWeight,
        uint96 paid,
        uint16 weightPaid
    ) external pure {
        require(weightPaid <= totalWeight && totalWeight > 0);
        require(uint256(paid) * totalWeight <= uint256(amount) * weightPaid);
        assert(paid <= amount);
    }

    /// @notice If rounding took at most one unit from each so far, it does so from all with one more.
    function oneMoreShareLosesAtMostAUnit(
        uint96 amount,
        uint16 totalWeight,
        uint96 paid,
        uint8 workers,
        uint16 weightPaid,
        uint8 weight
    ) external pure {
        require(uint256(weightPaid) + weight <= totalWeight && totalWeight > 0);
        require((uint256(paid) + workers) * totalWeight >= uint256(amount) * weightPaid);
        uint256 share = ShareLib.weightedOf(amount, weight, totalWeight);
        uint256 lost = uint256(workers) + 1;
        assert((paid + share + lost) * totalWeight >= uint256(amount) * (uint256(weightPaid) + weight));
    }

    /// @notice And then what is left for the pool when all are paid is at most one unit for each worker.
    function whatRoundingLeavesIsSmall(uint96 amount, uint16 totalWeight, uint96 paid, uint8 workers) external pure {
        require(totalWeight > 0);
        require((uint256(paid) + workers) * totalWeight >= uint256(amount) * totalWeight);
        assert(uint256(paid) + workers >= amount);
    }
}
