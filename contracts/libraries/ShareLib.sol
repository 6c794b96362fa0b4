// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title ShareLib: who gets how much
/// @notice Amounts are in the token's smallest unit and round down; the rest always has an owner, named by the caller.
library ShareLib {
    /// @notice `percent` hundredths of `amount`.
    function percentOf(uint256 amount, uint256 percent) internal pure returns (uint256) {
        return (amount * percent) / 100;
    }

    /// @notice What the pool draws from the kitty for a task: a share of it, or the minimum if that is more; never more
    /// than it holds nor than the work costs.
    function bonusOf(uint256 kitty, uint256 ratio, uint256 minimum, uint256 price) internal pure returns (uint256) {
        return Math.min(Math.min(Math.max(percentOf(kitty, ratio), minimum), kitty), price);
    }

    /// @notice The part of `amount` that one who has `weight` out of `totalWeight` gets.
    function weightedOf(uint256 amount, uint256 weight, uint256 totalWeight) internal pure returns (uint256) {
        return Math.mulDiv(amount, weight, totalWeight);
    }
}
