// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {TaskStatus} from "../types/Deals.sol";
import {IViews} from "./IViews.sol";

/// @title ICallbackRelay
/// @notice Delivers what a callback missed (ERC-1154): the Hub calls once, with a fixed amount of gas, and whatever happens the
/// task stands. Here anybody may have the same call made again, with as much gas as it takes.
interface ICallbackRelay {
    /// @notice Emitted when a consumer has taken the result of `taskId`.
    event CallbackRelayed(bytes32 indexed taskId, address indexed consumer);

    /// @notice Thrown for a task without result.
    error NoResultToRelay(bytes32 taskId, TaskStatus status);
    /// @notice Thrown if the deal of `taskId` asks for no callback.
    error NoCallbackWanted(bytes32 taskId);
    /// @notice Thrown if the callback's contract does not name this relay (`IRelayedConsumer.relayFor`): it cannot, it does not
    /// want to, or it has the result.
    error NotAwaited(bytes32 taskId, address consumer);
    /// @notice Thrown if the consumer refuses, for `reason`: empty if it ran out of gas.
    error CallbackRefused(bytes32 taskId, address consumer, bytes reason);
    /// @notice Thrown if the consumer would take the same result again.
    error StillAwaited(bytes32 taskId, address consumer);

    /// @notice Of which Hub.
    function hub() external view returns (IViews);

    /// @notice Calls `receiveResult` of the deal's callback with what the Hub keeps of the result, and with nearly all of the gas.
    /// @dev Nothing of it lasts unless the consumer waited for the result before and does not any more afterwards.
    function relay(bytes32 taskId) external;
}
