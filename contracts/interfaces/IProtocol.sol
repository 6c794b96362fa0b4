// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAdmin} from "./IAdmin.sol";
import {IBulk} from "./IBulk.sol";
import {IConsensus} from "./IConsensus.sol";
import {IDeals} from "./IDeals.sol";
import {IFailures} from "./IFailures.sol";
import {IMulticall} from "./IMulticall.sol";
import {IOrders} from "./IOrders.sol";
import {ISignatures} from "./ISignatures.sol";
import {IStakedToken} from "./IStakedToken.sol";
import {ITasks} from "./ITasks.sol";
import {IViews} from "./IViews.sol";

/// @title Everything that a Hub answers, whatever its escrow holds
interface IProtocol is
    IERC20Errors,
    IStakedToken,
    ISignatures,
    IOrders,
    IDeals,
    IBulk,
    ITasks,
    IConsensus,
    IFailures,
    IAdmin,
    IMulticall,
    IViews
{
    /// @notice As ERC-20 has them.
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
}
