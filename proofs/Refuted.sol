// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ShareLib} from "../contracts/libraries/ShareLib.sol";
import {TrustLib} from "../contracts/libraries/TrustLib.sol";
import {TaskStatus} from "../contracts/types/Deals.sol";
import {Cast} from "./spec/Cast.sol";

/// @title Refuted: statements that are wrong, each by a hair
/// @notice A model checker that proved one of them would prove anything. Each must be refuted by a counterexample.
contract Refuted {
    // cut contracts/hub/HubStorage.sol: TaskState WIDE_INDEX _tasks _wide _narrowIndex _indexOf

    /// @notice A hundred and one hundredths of an amount are never more than it.
    function aPartMayBeTooLarge(uint96 amount) external pure {
        assert(ShareLib.percentOf(amount, 101) <= amount);
    }

    /// @notice Two parts of an amount, each rounded down, are the amount.
    function twoPartsAreAll(uint96 amount, uint256 percent) external pure {
        require(percent <= 100);
        assert(ShareLib.percentOf(amount, percent) + ShareLib.percentOf(amount, 100 - percent) == amount);
    }

    /// @notice The bonus is never below its minimum.
    function theBonusIsAlwaysAtLeastTheMinimum(uint96 kitty, uint96 minimum, uint96 price) external pure {
        assert(ShareLib.bonusOf(kitty, 10, minimum, price) >= minimum);
    }

    /// @notice Everybody's word weighs at least 3.
    function everyWordWeighsMore(uint256 score) external pure {
        assert(TrustLib.weightOf(score) >= 3);
    }

    /// @notice Two results are never agreed on at once, also without trust.
    function twoAreNeverAgreedOnWithoutTrust(uint128 one, uint128 other, uint128 total) external pure {
        require(uint256(one) + other <= total);
        assert(!TrustLib.isAgreed(one, total, 1) || !TrustLib.isAgreed(other, total, 1));
    }

    /// @notice Every index fits the narrow place.
    function noIndexIsWide(bytes32 taskId, uint256 index) external {
        _narrowIndex(taskId, index);
        assert(index < WIDE_INDEX);
    }

    /// @notice Writing the index of a task is enough for every task to have it.
    function tasksAreOne(bytes32 taskId, bytes32 other, uint256 index) external {
        _tasks[taskId].index = _narrowIndex(taskId, index);
        assert(_indexOf(other) == index);
    }
}
