// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RefusingToken
/// @notice A token that moves nothing: it answers false instead of reverting.
contract RefusingToken {
    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }

    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }
}
