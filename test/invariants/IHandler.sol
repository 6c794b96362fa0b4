// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title IHandler
/// @notice What invariants and tests ask of a Handler, which they make by name: the compiler is slow enough.
interface IHandler {
    function checkMoney() external view;

    function checkHistory() external view;

    function checkAllOfHistory() external view;

    function firstDeal() external view returns (bytes32 dealId);

    function firstEndedTask() external view returns (bytes32 taskId);

    function firstUsedOrder() external view returns (bytes32 orderHash);

    function finish() external;

    function hub() external view returns (address);

    function untouchables() external view returns (bytes4[] memory);
}
