// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Functions} from "./Functions.sol";

/// @title FunctionLists
/// @notice Functions, for a test to ask.
contract FunctionLists {
    function ofHub() external pure returns (bytes4[] memory) {
        return Functions.ofHub();
    }

    function ofHubNative() external pure returns (bytes4[] memory) {
        return Functions.ofHubNative();
    }
}
