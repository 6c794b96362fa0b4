// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IMulticall} from "../interfaces/IMulticall.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Multicall: several calls of one account in one transaction
/// @dev The Hub calls itself, so that no call sees what came along with the transaction. Nobody else can call in the
/// Hub's name: it calls others only with what they expect of it, never with what they tell it to.
abstract contract Multicall is IMulticall, HubStorage {
    function _multicall(bytes[] calldata calls) internal returns (bytes[] memory answers) {
        address outer = _actor;
        _actor = _sender();
        answers = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory answer) = address(this).call(calls[i]);
            require(success, CallFailed(i, answer));
            answers[i] = answer;
        }
        _actor = outer;
    }
}
