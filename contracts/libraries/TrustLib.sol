// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IConsensus} from "../interfaces/IConsensus.sol";

/// @title TrustLib: when do enough workers agree
/// @notice The credibility of a result is the product of the weights of those who found it. It is agreed on when it is
/// more than (trust - 1) / trust of one and all credibilities together.
library TrustLib {
    /// @notice What the word of a worker weighs; at least 2.
    function weightOf(uint256 score) internal pure returns (uint256) {
        return Math.max(score / 3, 3) - 1;
    }

    /// @notice What a worker's share of the reward is weighed with.
    function rewardWeightOf(uint256 weight) internal pure returns (uint256) {
        return Math.log2(weight);
    }

    /// @notice The credibility of a result after one more worker found it; zero is that of a result nobody found yet.
    function join(uint256 credibility, uint256 weight) internal pure returns (uint256) {
        (bool fits, uint256 joined) = Math.tryMul(Math.max(credibility, 1), weight);
        require(fits, IConsensus.CredibilityOverflow(credibility, weight));
        return joined;
    }

    /// @notice One and all credibilities together.
    function totalOf(uint256[] memory credibilities) internal pure returns (uint256 total) {
        total = 1;
        for (uint256 i = 0; i < credibilities.length; ++i) {
            (bool fits, uint256 sum) = Math.tryAdd(total, credibilities[i]);
            require(fits, IConsensus.CredibilityOverflow(total, credibilities[i]));
            total = sum;
        }
    }

    /// @notice Whether credibility * trust > total * (trust - 1), exactly, however large. `trust` is at least 1.
    function isAgreed(uint256 credibility, uint256 total, uint256 trust) internal pure returns (bool) {
        (uint256 high, uint256 low) = Math.mul512(credibility, trust);
        (uint256 highBar, uint256 lowBar) = Math.mul512(total, trust - 1);
        return high > highBar || (high == highBar && low > lowBar);
    }
}
