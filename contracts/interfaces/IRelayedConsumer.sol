// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IOracleConsumer} from "./IOracleConsumer.sol";

/// @title A contract that takes a task's result also from a relay, when the Hub's call did not reach it
interface IRelayedConsumer is IOracleConsumer {
    /// @notice Who beside the Hub may deliver the result of `taskId` now.
    /// @dev Must be zero for tasks whose result it does not want, and for all whose result it has: nobody else counts deliveries.
    function relayFor(bytes32 taskId) external view returns (address);
}
